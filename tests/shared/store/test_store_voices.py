"""Uploaded voices belong to one user each, and their consent is kept as long as they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shared.voices import Consent, Recording, Voice, VoiceIds, VoiceShare, VoiceStore
from tests.shared.store.building import NOW

IDS = VoiceIds()
CONSENT = Consent("Ann Example", NOW - 86400.0, "我同意使用我的声音。")
FIRST = Voice(IDS.next(), "ann", "Ann, quiet", Recording("ab" * 32, 24_000, 4.05), CONSENT, NOW)
SECOND = replace(FIRST, id=IDS.next(), name=None, recording=Recording("cd" * 32, 8_000, 0.5))
OF_BOB = replace(FIRST, id=IDS.next(), user="bob")


def test_a_voice_is_read_back_as_it_was_added(voice_store: VoiceStore) -> None:
    voice_store.add(FIRST)
    voice_store.add(SECOND)
    assert voice_store.find("ann", [FIRST.id, SECOND.id]) == {FIRST.id: FIRST, SECOND.id: SECOND}


def test_another_users_voice_is_not_found(voice_store: VoiceStore) -> None:
    voice_store.add(OF_BOB)
    assert voice_store.find("ann", [OF_BOB.id, FIRST.id]) == {}


def test_a_page_has_the_users_own_newest_first(voice_store: VoiceStore) -> None:
    for voice in (FIRST, SECOND, OF_BOB):
        voice_store.add(voice)
    assert voice_store.page("ann", 1) == [SECOND]
    assert voice_store.page("ann", 5, before=SECOND.id) == [FIRST]


def test_a_voice_that_was_removed_is_gone(voice_store: VoiceStore) -> None:
    voice_store.add(FIRST)
    assert voice_store.remove("ann", FIRST.id) == FIRST
    assert voice_store.remove("ann", FIRST.id) is None
    assert voice_store.page("ann", 5) == []


def test_nobody_removes_another_users_voice(voice_store: VoiceStore) -> None:
    voice_store.add(OF_BOB)
    assert voice_store.remove("ann", OF_BOB.id) is None
    assert voice_store.find("bob", [OF_BOB.id]) == {OF_BOB.id: OF_BOB}


def test_a_recording_is_there_as_long_as_one_voice_has_it(voice_store: VoiceStore) -> None:
    voice_store.add(FIRST)
    voice_store.add(OF_BOB)
    voice_store.remove("ann", FIRST.id)
    assert voice_store.has_recording(FIRST.recording.pcm_sha256)
    voice_store.remove("bob", OF_BOB.id)
    assert not voice_store.has_recording(FIRST.recording.pcm_sha256)


def test_a_voice_beyond_what_its_user_may_have_is_not_kept(voice_store: VoiceStore) -> None:
    most = VoiceShare(voices=2, seconds=5.0)
    assert voice_store.add(FIRST, most) is None
    assert voice_store.add(replace(FIRST, id=IDS.next()), most) == VoiceShare(1, 4.05)
    assert voice_store.add(OF_BOB, most) is None
    assert voice_store.add(SECOND, most) is None
    short = replace(FIRST, id=IDS.next(), recording=Recording("ef" * 32, 8_000, 0.1))
    assert voice_store.add(short, most) == VoiceShare(2, 4.55)
    assert voice_store.page("ann", 5) == [SECOND, FIRST]
    assert voice_store.had("nobody") == VoiceShare(0, 0.0)


def test_a_voice_that_was_removed_gives_room(voice_store: VoiceStore) -> None:
    most = VoiceShare(voices=1, seconds=5.0)
    voice_store.add(FIRST, most)
    voice_store.remove("ann", FIRST.id)
    assert voice_store.add(SECOND, most) is None


def test_of_uploads_at_once_as_many_are_kept_as_fit(voice_store: VoiceStore) -> None:
    most = VoiceShare(voices=100, seconds=3 * 4.05 + 0.1)
    new = [replace(FIRST, id=IDS.next()) for _ in range(24)]
    with ThreadPoolExecutor(8) as threads:
        refused = [had for had in threads.map(lambda voice: voice_store.add(voice, most), new) if had is not None]
    assert len(refused) == 21
    assert len(voice_store.page("ann", 100)) == 3

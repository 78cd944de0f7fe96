"""Uploaded voices belong to one user each, and their consent is kept as long as they are."""

from __future__ import annotations

from dataclasses import replace

from shared.voices import Consent, Recording, Voice, VoiceIds, VoiceStore
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

"""Keys stay known after they were revoked."""

from __future__ import annotations

from dataclasses import replace

from shared.keys import Key, KeyStore
from tests.shared.store.building import NOW

KEY = Key("k1", "ann", "d" * 64, NOW, expires_at=NOW + 60)


def test_a_key_is_found_as_it_was_added(key_store: KeyStore) -> None:
    key_store.add(KEY)
    assert key_store.find("k1") == KEY
    assert key_store.find("k2") is None


def test_keys_are_listed_oldest_first(key_store: KeyStore) -> None:
    keys = [Key("k3", "ann", "d", NOW), Key("k1", "ann", "d", NOW + 1), Key("k2", "bob", "d", NOW + 1)]
    for key in reversed(keys):
        key_store.add(key)
    assert key_store.list() == keys


def test_a_revoked_key_stays_known(key_store: KeyStore) -> None:
    key_store.add(KEY)
    assert key_store.revoke("k1", NOW + 5)
    assert key_store.find("k1") == replace(KEY, revoked_at=NOW + 5)


def test_revoking_again_changes_nothing(key_store: KeyStore) -> None:
    key_store.add(KEY)
    key_store.revoke("k1", NOW + 5)
    assert key_store.revoke("k1", NOW + 9)
    assert key_store.find("k1") == replace(KEY, revoked_at=NOW + 5)


def test_a_key_that_does_not_exist_cannot_be_revoked(key_store: KeyStore) -> None:
    assert not key_store.revoke("k1", NOW)


def test_whether_a_key_was_ever_made_outlasts_its_revocation(key_store: KeyStore) -> None:
    assert not key_store.any()
    key_store.add(KEY)
    key_store.revoke("k1", NOW)
    assert key_store.any()

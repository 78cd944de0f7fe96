"""Ways in which the files of a pin come to be other than locked, each by the store, its lock and a source of chance."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from shared.weights.lock import LockedFile, PinLock
from shared.weights.store import WeightStore

Alteration = Callable[[WeightStore, PinLock, random.Random], None]


def one_of(lock: PinLock, chance: random.Random) -> LockedFile:
    return chance.choice(list(lock.files))


def blob_of(store: WeightStore, lock: PinLock, chance: random.Random) -> Path:
    """A file of the store that may be written."""
    blob = store.blob(one_of(lock, chance).sha256)
    blob.chmod(0o644)
    return blob


def link_of(store: WeightStore, lock: PinLock, chance: random.Random) -> Path:
    return store.snapshot(lock) / one_of(lock, chance).path


def flip(path: Path, chance: random.Random) -> None:
    """One bit, in place."""
    with path.open("r+b") as opened:
        place = chance.randrange(path.stat().st_size)
        opened.seek(place)
        byte = opened.read(1)[0]
        opened.seek(place)
        opened.write(bytes([byte ^ 1 << chance.randrange(8)]))


def flipped_bit(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    flip(blob_of(store, lock, chance), chance)


def flipped_bit_with_the_times_put_back(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    blob = blob_of(store, lock, chance)
    before = blob.stat()
    flip(blob, chance)
    os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
    blob.chmod(0o444)


def cut_short(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    blob = blob_of(store, lock, chance)
    os.truncate(blob, chance.randrange(1, blob.stat().st_size))


def emptied(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    os.truncate(blob_of(store, lock, chance), 0)


def appended_to(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    with blob_of(store, lock, chance).open("ab") as opened:
        opened.write(chance.randbytes(chance.randrange(1, 100)))


def replaced_by_others_of_its_size(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    blob = blob_of(store, lock, chance)
    before = blob.stat()
    other = blob.with_name("other")
    other.write_bytes(chance.randbytes(before.st_size))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(blob)


def two_of_one_size_swapped(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    one, other = (store.blob(file.sha256) for file in lock.files if file.size == 50_000)
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def file_gone(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    blob_of(store, lock, chance).unlink()


def file_is_a_folder(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    blob = blob_of(store, lock, chance)
    blob.unlink()
    blob.mkdir()


def file_is_a_link_to_its_equal(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    blob = blob_of(store, lock, chance)
    shutil.copy2(blob, store.root.parent / "equal")
    blob.unlink()
    blob.symlink_to(store.root.parent / "equal")


def folder_of_the_file_is_a_link_to_its_equal(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    became_a_link(chance.choice(list(blob_of(store, lock, chance).parents)[:3]))


def link_gone(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link_of(store, lock, chance).unlink()


def link_renamed(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link = link_of(store, lock, chance)
    link.rename(link.with_name(chance.choice([link.name.upper(), f"{link.name}.bak", f".{link.name}"])))


def links_swapped(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    one, other = (store.snapshot(lock) / file.path for file in chance.sample(list(lock.files), 2))
    targets = os.readlink(one), os.readlink(other)
    for link, target in zip((other, one), targets, strict=True):
        link.unlink()
        link.symlink_to(target)


def link_leads_out(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link = link_of(store, lock, chance)
    outside = store.root.parent / "outside"
    outside.write_bytes(chance.randbytes(link.stat().st_size))
    link.unlink()
    link.symlink_to(chance.choice([outside, os.path.relpath(outside, link.parent)]))


def link_leads_to_its_equal(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link = link_of(store, lock, chance)
    shutil.copy2(link, store.root.parent / "equal")
    link.unlink()
    link.symlink_to(store.root.parent / "equal")


def link_is_absolute(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link = link_of(store, lock, chance)
    target = link.resolve()
    link.unlink()
    link.symlink_to(target)


def link_became_a_file(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link = link_of(store, lock, chance)
    content = link.read_bytes()
    link.unlink()
    link.write_bytes(content)


def link_leads_nowhere(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    link = link_of(store, lock, chance)
    link.unlink()
    link.symlink_to("nowhere")


def extra_file(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    below = chance.choice([store.snapshot(lock), store.snapshot(lock) / "vocoder"])
    name = chance.choice(["model.safetensors", "modeling_voice.py", ".hidden", "config.json~", "a\nb", "\udcff"])
    (below / name).write_bytes(chance.randbytes(10))


def extra_folder(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    (store.snapshot(lock) / chance.choice(["more", "vocoder/more", "__pycache__"])).mkdir()


def extra_link(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    (store.snapshot(lock) / "more.bin").symlink_to(chance.choice([store.blob(one_of(lock, chance).sha256), "/", "."]))


def extra_pipe(store: WeightStore, lock: PinLock, chance: random.Random) -> None:
    os.mkfifo(store.snapshot(lock) / "pipe")


def inner_folder_is_a_link_to_its_equal(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    became_a_link(store.snapshot(lock) / "vocoder")


def inner_folder_is_a_file(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    shutil.rmtree(store.snapshot(lock) / "vocoder")
    (store.snapshot(lock) / "vocoder").write_bytes(b"")


def snapshot_is_a_link_to_its_equal(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    became_a_link(store.snapshot(lock))


def snapshots_are_a_link_to_their_equals(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    became_a_link(store.snapshot(lock).parent)


def snapshot_is_a_file(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    shutil.rmtree(store.snapshot(lock))
    store.snapshot(lock).write_bytes(b"")


def snapshot_gone(store: WeightStore, lock: PinLock, _chance: random.Random) -> None:
    shutil.rmtree(store.snapshot(lock))


def became_a_link(folder: Path) -> None:
    """To a copy of it that lies elsewhere, with all that is in it."""
    elsewhere = folder.with_name(f"{folder.name}-elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


ALTERATIONS: tuple[Alteration, ...] = (
    flipped_bit,
    flipped_bit_with_the_times_put_back,
    cut_short,
    emptied,
    appended_to,
    replaced_by_others_of_its_size,
    two_of_one_size_swapped,
    file_gone,
    file_is_a_folder,
    file_is_a_link_to_its_equal,
    folder_of_the_file_is_a_link_to_its_equal,
    link_gone,
    link_renamed,
    links_swapped,
    link_leads_out,
    link_leads_to_its_equal,
    link_is_absolute,
    link_became_a_file,
    link_leads_nowhere,
    extra_file,
    extra_folder,
    extra_link,
    extra_pipe,
    inner_folder_is_a_link_to_its_equal,
    inner_folder_is_a_file,
    snapshot_is_a_link_to_its_equal,
    snapshots_are_a_link_to_their_equals,
    snapshot_is_a_file,
    snapshot_gone,
)

"""Brings the names of signs and emoji that engines read out: `make signs`.

Which package, which version, which bytes: services/worker/engines/signs/names.json. npm must be installed; where it
fetches from is its own setting. ``--update VERSION`` writes what it finds; without, what differs from the lock is an
error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path

from npm_package import packed

SIGNS = Path(__file__).parents[1] / "services" / "worker" / "engines" / "signs"
LOCK = SIGNS / "names.json"
ARCHIVE = SIGNS / "names.zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", metavar="VERSION")
    version = parser.parse_args().update
    lock = json.loads(LOCK.read_text())
    with tempfile.TemporaryDirectory() as folder:
        write(names_in(packed(lock, Path(folder), version)))
    lock["sha256"] = hashlib.sha256(ARCHIVE.read_bytes()).hexdigest()
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def names_in(archive: Path) -> dict[str, dict[str, str]]:
    """Language -> character -> its name, as CLDR has it for text-to-speech; languages, not their regional forms."""
    found = {}
    with tarfile.open(archive) as files:
        for member in files:
            parts = member.name.split("/")
            if parts[1] == "annotations" and parts[-1] == "annotations.json" and "-" not in parts[2]:
                opened = files.extractfile(member)
                assert opened is not None, member.name
                said = json.load(opened).get("annotations", {}).get("annotations", {})
                named = {one: about["tts"][0] for one, about in said.items() if len(one) == 1 and about.get("tts")}
                if named:
                    found[parts[2]] = named
    return found


def write(names: dict[str, dict[str, str]]) -> None:
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for language in sorted(names):
            member = zipfile.ZipInfo(f"{language}.json", _EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, json.dumps(names[language], ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    main()

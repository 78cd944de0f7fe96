"""Brings the files of others that our pages are made with: `make pages`.

Which package, which version, which bytes: services/gateway/pages/vendored.json. npm must be installed; where it fetches
from is its own setting. ``--update VERSION`` writes what it finds; without, what differs from the lock is an error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tarfile
import tempfile
from pathlib import Path

from npm_package import packed

PAGES = Path(__file__).parents[1] / "services" / "gateway" / "pages"
LOCK = PAGES / "vendored.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", metavar="VERSION")
    version = parser.parse_args().update
    lock = json.loads(LOCK.read_text())
    with tempfile.TemporaryDirectory() as folder:
        archive = packed(lock, Path(folder), version)
        with tarfile.open(archive) as files:
            for name in lock["files"]:
                member = files.extractfile(f"package/{name}")
                assert member is not None, name
                found = member.read()
                (PAGES / lock["folder"] / name).write_bytes(found)
                lock["files"][name] = hashlib.sha256(found).hexdigest()
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


if __name__ == "__main__":
    main()

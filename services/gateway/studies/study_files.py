"""The files of a study's result: reports, plots and tables, as blobs by the paths in its outcome.

Owns the media type of each kind of file. Knows no route.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from shared.errors import RefusalCode, Refused
from shared.ports import Blobs
from shared.studies import Study

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".xml": "application/xml",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}
"""By the ending of the name. Any other file is sent as bytes."""
_SHOWN = 120


class StudyFile(NamedTuple):
    """A file that can be sent. ``size``: bytes."""

    name: str
    sha256: str
    size: int
    media_type: str


def file_of(study: Study, path: str, blobs: Blobs) -> StudyFile:
    """Return the file with this path. Raises `Refused` (`file_not_ready`) if there is none. Blocks."""
    sha256 = (study.outcome or {}).get("files", {}).get(path)
    name = PurePosixPath(path).name
    try:
        if sha256 is None:
            raise KeyError(path)
        return StudyFile(name, sha256, blobs.size(sha256), _media_type(name))
    except KeyError:
        why = "it is over" if study.over else "it is not finished"
        raise Refused(RefusalCode.FILE_NOT_READY, f"{study.id} has no file {path[:_SHOWN]}; {why}") from None


def content_of(file: StudyFile, blobs: Blobs) -> Iterator[bytes]:
    """Yield the content in chunks. Blocks."""
    return blobs.read(file.sha256, 0, file.size)


def _media_type(name: str) -> str:
    return MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")

"""Immutable bytes, stored under the hash of their content."""

from shared.blobs.folder import RESERVE_BYTES
from shared.blobs.opening import local_folders, open_blobs

__all__ = ["RESERVE_BYTES", "local_folders", "open_blobs"]

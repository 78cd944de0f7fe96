"""Immutable bytes, stored under the hash of their content."""

from shared.blobs.folder import FolderBlobs

__all__ = ["FolderBlobs"]

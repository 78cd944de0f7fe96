"""Hugging Face's hub or a mirror of it. huggingface_hub asks for revisions and files; our own code downloads the bytes.

The library's own download chooses where partial files go, and uses Xet if it can, which bypasses the mirror. Ours
resumes into the store and asks the given endpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from httpx2 import Client, HTTPError, TimeoutException, TransportError
from huggingface_hub import HfApi, ModelInfo, get_token, hf_hub_url, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils._http import hf_request_event_hook

from services.pins.sources.asking import PASSING, Passing, patiently
from services.pins.sources.base import Gone, ListedFile, SourceAccess, SourceFailed
from services.pins.sources.routing import RoutedTransport2
from services.pins.sources.transfer import Transfer
from shared.weights.hashing import OnBytes
from shared.weights.lock import COMMIT, LockedFile


@cache
def _go_our_way() -> None:
    """Route the library's requests like ours. It has one client per process, which fails on proxies that it should not
    use."""
    hooks = {"request": [hf_request_event_hook]}  # the library's own hook, which blocks requests in offline mode
    set_client_factory(
        lambda: Client(transport=RoutedTransport2(), event_hooks=hooks, follow_redirects=True, timeout=None)
    )


class HuggingFaceSource:
    """One repository at one revision, at one endpoint. Without a token in ``access``, the one of ``hf auth login`` is
    used."""

    def __init__(self, repo: str, revision: str, endpoint: str, access: SourceAccess) -> None:
        self._repo = repo
        self._revision = revision
        self._endpoint = endpoint.rstrip("/")
        self._patience = access.patience
        _go_our_way()
        self._api = HfApi(endpoint=self._endpoint, token=access.huggingface_token)
        token = access.huggingface_token or get_token()
        self._transfer = Transfer(self.name, access.patience, {"Authorization": f"Bearer {token}"} if token else None)

    @property
    def name(self) -> str:
        return f"huggingface {self._repo}@{self._revision[:12]} at {self._endpoint}"

    def resolve(self) -> str | None:
        commit = self._info(files=False).sha or ""
        if not COMMIT.fullmatch(commit):
            raise SourceFailed(f"{self.name}: expected a commit of 40 hexadecimal digits, but it returned {commit!r}")
        if COMMIT.fullmatch(self._revision) and commit != self._revision:
            raise SourceFailed(f"{self.name}: it returned another commit: {commit}")
        return commit

    def listed(self) -> Sequence[ListedFile]:
        files = []
        for sibling in self._info(files=True).siblings or ():
            if sibling.size is None:
                raise SourceFailed(f"{self.name}: {sibling.rfilename}: its size is not listed")
            sha256 = sibling.lfs.sha256 if sibling.lfs else None
            files.append(ListedFile(sibling.rfilename, sibling.size, sha256, None if sha256 else sibling.blob_id))
        return files

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        url = hf_hub_url(self._repo, file.at_source, revision=self._revision, endpoint=self._endpoint)
        self._transfer.fetch(url, file, into, on_bytes)

    def _info(self, *, files: bool) -> ModelInfo:
        return patiently(self._patience, lambda: self._asked(files))

    def _asked(self, files: bool) -> ModelInfo:
        try:
            return self._api.model_info(
                self._repo, revision=self._revision, files_metadata=files, timeout=self._patience.answer_s
            )
        except HfHubHTTPError as error:
            status = error.response.status_code
            said = f"{self.name}: HTTP {status}"
            if status in (404, 410):
                raise Gone(f"{said}: no such repository or revision") from error
            if status in (401, 403):
                raise SourceFailed(f"{said}: no such repository, or it requires a token") from error
            if status in PASSING:
                raise Passing(said, retry_after=error.response.headers.get("Retry-After")) from error
            raise SourceFailed(said) from error
        except TransportError as error:
            waited = isinstance(error, TimeoutException)
            raise Passing(f"{self.name}: not reachable ({type(error).__name__}: {error})", waited=waited) from error
        except OfflineModeIsEnabled as error:
            raise SourceFailed(f"{self.name}: HF_HUB_OFFLINE is set") from error
        except (HTTPError, HFValidationError, ValueError, KeyError, TypeError) as error:
            raise SourceFailed(f"{self.name}: {error}") from error

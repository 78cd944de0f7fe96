"""Hugging Face's hub, or a mirror of it: huggingface_hub asks for revisions and files, the bytes come our own way.

The library's own download keeps its partial files where it likes and takes Xet where it can, past the mirror; ours
resumes into the store, and asks the endpoint that it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from httpx2 import HTTPError, TimeoutException, TransportError
from huggingface_hub import HfApi, ModelInfo, get_token, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

from services.pins.sources.asking import PASSING, Passing, patiently
from services.pins.sources.base import Access, Gone, Listed, SourceFailed
from services.pins.sources.transfer import Transfer
from shared.weights.hashing import OnBytes
from shared.weights.lock import COMMIT, LockedFile


class HuggingFaceSource:
    """One repository at one revision, at one endpoint. Without a token in ``access``, the one of ``hf auth login``."""

    def __init__(self, repo: str, revision: str, endpoint: str, access: Access) -> None:
        self._repo = repo
        self._revision = revision
        self._endpoint = endpoint.rstrip("/")
        self._patience = access.patience
        self._api = HfApi(endpoint=self._endpoint, token=access.huggingface_token)
        token = access.huggingface_token or get_token()
        self._transfer = Transfer(self.name, access.patience, {"Authorization": f"Bearer {token}"} if token else None)

    @property
    def name(self) -> str:
        return f"huggingface {self._repo}@{self._revision[:12]} at {self._endpoint}"

    def resolve(self) -> str | None:
        commit = self._info(files=False).sha or ""
        if not COMMIT.fullmatch(commit):
            raise SourceFailed(f"{self.name}: it names no commit of 40 hexadecimal digits, but {commit!r}")
        if COMMIT.fullmatch(self._revision) and commit != self._revision:
            raise SourceFailed(f"{self.name}: asked for this commit, it answers with {commit}")
        return commit

    def listed(self) -> Sequence[Listed]:
        files = []
        for sibling in self._info(files=True).siblings or ():
            if sibling.size is None:
                raise SourceFailed(f"{self.name}: {sibling.rfilename}: it is not said how large it is")
            sha256 = sibling.lfs.sha256 if sibling.lfs else None
            files.append(Listed(sibling.rfilename, sibling.size, sha256, None if sha256 else sibling.blob_id))
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
                raise Gone(f"{said}, there is no such repository or revision") from error
            if status in (401, 403):
                raise SourceFailed(f"{said}, there is no such repository, or it wants a token") from error
            if status in PASSING:
                raise Passing(said, retry_after=error.response.headers.get("Retry-After")) from error
            raise SourceFailed(said) from error
        except TransportError as error:
            waited = isinstance(error, TimeoutException)
            raise Passing(f"{self.name}: out of reach ({type(error).__name__}: {error})", waited=waited) from error
        except OfflineModeIsEnabled as error:
            raise SourceFailed(f"{self.name}: HF_HUB_OFFLINE is set") from error
        except (HTTPError, HFValidationError, ValueError, KeyError, TypeError) as error:
            raise SourceFailed(f"{self.name}: {error}") from error

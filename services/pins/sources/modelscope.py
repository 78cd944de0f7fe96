"""ModelScope's hub. Its own client lists files; our own code downloads the bytes.

The client cannot say which commit a branch is at, so the hub is asked for its newest commit directly. A requested
commit that is not listed any more is gone: the hub may answer with no files instead of an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from modelscope_hub._download_control import _DownloadControl
from modelscope_hub.api import HubApi
from modelscope_hub.errors import APIError, HubError, NotExistError, RequestTimeoutError

from services.pins.sources.base import Gone, ListedFile, SourceAccess, SourceFailed
from services.pins.sources.transfer import Transfer
from shared.network.proxies import made_for, proxy_for
from shared.weights.hashing import OnBytes
from shared.weights.lock import COMMIT, SHA256, LockedFile


class ModelScopeSource:
    """One repository at one revision, at one endpoint. Without a token in ``access``, that of ``modelscope login`` is
    used."""

    def __init__(self, repo: str, revision: str, endpoint: str, access: SourceAccess) -> None:
        self._repo = repo
        self._revision = revision
        self._endpoint = endpoint.rstrip("/")
        self._patience = access.patience
        self._api = HubApi(endpoint=self._endpoint, token=access.modelscope_token)
        self._transfer = Transfer(self.name, access.patience, _headers(self._api.legacy.token))

    @property
    def name(self) -> str:
        return f"modelscope {self._repo}@{self._revision[:12]} at {self._endpoint}"

    def resolve(self) -> str | None:
        if COMMIT.fullmatch(self._revision):
            self.listed()
            return self._revision
        asked = f"Ref={quote(self._revision, safe='')}&PageNumber=1&PageSize=1"
        answer = self._transfer.json(f"{self._endpoint}/api/v1/models/{self._repo}/commits?{asked}", "its commits")
        commit = _newest_commit(answer)
        if not COMMIT.fullmatch(commit):
            raise SourceFailed(f"{self.name}: expected a commit of 40 hexadecimal digits, but it returned {commit!r}")
        return commit

    def listed(self) -> Sequence[ListedFile]:
        files = self._asked()
        if not files:
            raise Gone(f"{self.name}: it lists no files at this revision")
        return files

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        url = self._api.legacy.get_download_url(self._repo, "model", file.at_source, self._revision)
        self._transfer.fetch(url, file, into, on_bytes)

    def _asked(self) -> list[ListedFile]:
        """Return the listed files. The client repeats its requests itself; only its own control can limit the total
        time."""
        self._check_way()
        try:
            with (
                _DownloadControl(total_timeout=self._patience.stall_s) as control,
                self._api.legacy.read_context(control),
            ):
                files = self._api.list_repo_files(self._repo, "model", revision=self._revision)
        except NotExistError as error:
            raise Gone(f"{self.name}: no such repository or revision") from error
        except APIError as error:
            raise SourceFailed(f"{self.name}: HTTP {error.status_code}") from error
        except RequestTimeoutError as error:
            raise SourceFailed(f"{self.name}: no answer for {self._patience.stall_s:g} s") from error
        except (HubError, OSError, ValueError, AttributeError) as error:
            raise SourceFailed(f"{self.name}: {error}") from error
        return [
            ListedFile(file.path, file.size, file.sha256 if SHA256.fullmatch(file.sha256 or "") else None)
            for file in files
            if not file.is_dir
        ]

    def _check_way(self) -> None:
        """Check the proxy before the client uses it. The client reads the environment itself; a fault is reported here
        by name."""
        proxy = proxy_for(self._endpoint)
        if proxy is not None and proxy.socks:
            with made_for(proxy, "requests"):
                import_module("socks")


def _newest_commit(answer: Any) -> str:
    try:
        return str(answer["Data"]["Commit"][0]["Id"])
    except (KeyError, IndexError, TypeError):
        return ""


def _headers(token: str | None) -> dict[str, str]:
    """Return both headers that carry a token: older parts of the hub only know the cookie."""
    return {"Authorization": f"Bearer {token}", "Cookie": f"m_session_id={token}"} if token else {}

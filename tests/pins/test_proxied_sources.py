"""Sources where the environment names proxies: whom they ask, and what is said where a proxy cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.pins.sources.base import ModelSource, SourceAccess, SourceFailed
from services.pins.sources.table import open_source
from shared.errors import SettingsError
from shared.network.proxies import without_proxy_here
from shared.weights.lock import Source
from tests.pins.conftest import IMPATIENT
from tests.pins.hub import Hub
from tests.recording_proxy import VARIABLES, RecordingProxy, recording_proxy, say_proxies

KINDS = ["huggingface", "modelscope", "url"]
ELSEWHERE = "http://hub.example"


@pytest.fixture
def proxy() -> Iterator[RecordingProxy]:
    with recording_proxy() as living:
        yield living


@pytest.fixture(autouse=True)
def _commit(hub: Hub) -> None:
    hub.repo("team/voice").commit({"config.json": b"{}"})


def at(kind: str, url: str) -> ModelSource:
    access = SourceAccess(huggingface=(url,), modelscope=(url,), patience=IMPATIENT)
    if kind == "url":
        return open_source(Source(url=f"{url}/plain/team/voice"), access, names=("config.json",))
    return open_source(Source(hub=kind, repo="team/voice", revision="main"), access)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hub_on_this_machine_is_asked_and_the_proxy_sent_nothing(
    kind: str, hub: Hub, proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_proxies(monkeypatch, HTTP_PROXY=proxy.url, NO_PROXY="fd00::/8,[::1]")
    for name, value in without_proxy_here(os.environ).items():  # as the commands do it for the hubs' own clients
        monkeypatch.setenv(name, value)
    source = open_source(Source(url=hub.plain("team/voice")), SourceAccess(), names=("config.json",))
    source = source if kind == "url" else at(kind, hub.url)
    assert [file.path for file in source.listed()] == ["config.json"]
    assert proxy.sent == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_hub_elsewhere_is_asked_through_it(kind: str, proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    say_proxies(monkeypatch, HTTP_PROXY=proxy.url, NO_PROXY="fd00::/8,[::1],[")
    with pytest.raises(SourceFailed):
        at(kind, ELSEWHERE).listed()
    assert proxy.sent
    assert all(line.split()[1].startswith(ELSEWHERE) for line in proxy.sent)


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "socks5://127.0.0.1:1"}, {"http_proxy": "http://proxy:port"}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_that_cannot_be_used_is_told_by_its_variable(
    kind: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say_proxies(monkeypatch, **variables)
    with pytest.raises(SettingsError, match=f"^{next(iter(variables))} "):
        at(kind, ELSEWHERE).listed()


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "socks5://127.0.0.1:1"}, {"http_proxy": "http://proxy:port"}])
def test_the_command_says_so_in_a_line_and_ends_with_78(tmp_path: Path, variables: dict[str, str]) -> None:
    catalog = tmp_path / "catalog.toml"
    sources = '[{hub = "huggingface", repo = "a/b", revision = "main"}]'
    catalog.write_text(
        f'schema = 1\n[pins.a-v1]\nengine = "transformers"\n'
        f'[[pins.a-v1.components]]\nrole = "model"\nsources = {sources}\n'
    )
    env = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    env |= {"RINGTRUE_DATA": str(tmp_path / "data"), "HF_ENDPOINT": ELSEWHERE, **variables}
    command = [sys.executable, "-m", "ringtrue", "models", "lock", "--catalog", str(catalog)]
    ran = subprocess.run(command, env=env, check=False, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 78, ran.stderr
    assert ran.stderr.splitlines()[-1].startswith(next(iter(variables)))
    assert "Traceback" not in ran.stderr

"""Which proxy lies before a URL: the rules of the services and those of the client, which are the same."""

from __future__ import annotations

from types import ModuleType

import pytest

import ringtrue.http.proxies
import shared.network.proxies
from ringtrue.errors import EnvironmentUnusable
from shared.errors import SettingsError
from tests.recording_proxy import say_proxies

PROXY = "http://proxy.example:3128"


@pytest.fixture(params=[shared.network.proxies, ringtrue.http.proxies], ids=["services", "client"])
def rules(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


def through(rules: ModuleType, url: str) -> str | None:
    proxy = rules.proxy_for(url)
    return None if proxy is None else proxy.url


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.9.10",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "app.localhost",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_behind_no_proxy(
    rules: ModuleType, monkeypatch: pytest.MonkeyPatch, scheme: str, host: str
) -> None:
    say_proxies(monkeypatch, HTTP_PROXY=PROXY, HTTPS_PROXY=PROXY, ALL_PROXY="nonsense://")
    assert through(rules, f"{scheme}://{host}:5000/v1") is None


@pytest.mark.parametrize("host", ["128.0.0.1", "[::2]", "localhost.example", "notlocalhost", "127.example", "10.0.0.1"])
def test_other_machines_are(rules: ModuleType, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    say_proxies(monkeypatch, HTTP_PROXY=PROXY)
    assert through(rules, f"http://{host}:5000/v1") == PROXY


@pytest.mark.parametrize(
    ("entry", "host", "excepted"),
    [
        ("*", "team.example", True),
        ("example", "team.example", True),
        (".example", "team.example", True),
        ("*.example", "team.example", True),
        ("example", "notexample", False),
        ("TEAM.Example", "team.example", True),
        ("team.example.", "team.example", True),
        ("team.example:5000", "team.example", True),
        ("team.example:80", "team.example", False),
        ("a, team.example ,b", "team.example", True),
        ("a team.example", "team.example", True),
        ("http://team.example", "team.example", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.9.8.7/8", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("fd00::/8", "[fd12::1]", True),
        ("fd00::/8", "[fe12::1]", False),
        ("fd12::1", "[fd12::1]", True),
        ("[fd12::1]", "[fd12::1]", True),
        ("[fd12::1]:5000", "[fd12::1]", True),
        ("[fd12::1]:80", "[fd12::1]", False),
        ("[fd00::]/8", "[fd12::1]", True),
        (",,", "team.example", False),
        ("[", "team.example", False),
        ("10.0.0.0/99", "10.1.2.3", False),
        ("caf\u00e9", "team.example", False),
    ],
)
def test_exceptions_are_read_as_curl_reads_them(
    rules: ModuleType, monkeypatch: pytest.MonkeyPatch, entry: str, host: str, excepted: bool
) -> None:
    say_proxies(monkeypatch, http_proxy=PROXY, no_proxy=entry)
    assert (through(rules, f"http://{host}:5000/") is None) is excepted


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, "http://team.example/", None),
        ({"HTTP_PROXY": PROXY}, "https://team.example/", None),
        ({"ALL_PROXY": PROXY}, "https://team.example/", PROXY),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks5://s.example:1"}, "https://team.example/", PROXY),
        ({"http_proxy": PROXY, "HTTP_PROXY": "nonsense://"}, "http://team.example/", PROXY),
        ({"HTTP_PROXY": "proxy.example:3128"}, "http://team.example/", PROXY),
        ({"HTTP_PROXY": f" {PROXY} "}, "http://team.example/", PROXY),
        ({"ALL_PROXY": "socks5h://s.example:1"}, "http://team.example/", "socks5h://s.example:1"),
        ({"ALL_PROXY": "socks://s.example:1/"}, "http://team.example/", "socks5://s.example:1/"),
    ],
)
def test_the_variable_of_the_scheme_counts_before_that_of_all(
    rules: ModuleType, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: str | None
) -> None:
    say_proxies(monkeypatch, **variables)
    assert through(rules, url) == proxy


@pytest.mark.parametrize(
    "value",
    [
        "http://",
        "http://proxy:port",
        "http://proxy:99999",
        "http://[::1",
        "http://a b:1",
        "gopher://proxy:70",
        "://",
        "http://user:secret@:1",
    ],
)
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_what_cannot_be_read_is_told_by_the_name_of_its_variable_and_keeps_its_password(
    rules: ModuleType, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    say_proxies(monkeypatch, **{variable: value})
    with pytest.raises((SettingsError, EnvironmentUnusable), match=f"^{variable} ") as told:
        rules.proxy_for("http://team.example/")
    assert "secret" not in str(told.value)


def test_libraries_that_read_the_environment_themselves_are_told_of_this_machine() -> None:
    from shared.network.proxies import without_proxy_here

    assert without_proxy_here({"NO_PROXY": "example"}) == {}
    told = without_proxy_here({"HTTPS_PROXY": PROXY, "NO_PROXY": "example,::1", "no_proxy": ""})
    assert told["no_proxy"] == told["NO_PROXY"] == "example,::1,localhost,127.0.0.1,127.0.0.0/8"

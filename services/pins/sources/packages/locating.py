"""Asks pip or npm where a package's archive is, and what hash it has.

Owns the command lines and how the answers are read. The tools know the indexes, mirrors, certificates and folders that
their user has configured; nothing here names a host. Nothing is installed, and no code of a package runs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.pins.sources.base import Gone, SourceAccess, SourceFailed
from shared.machine.installed_packages import version_of
from shared.weights.package import Package

_PIP_OPTIONS = (
    *("--dry-run", "--ignore-installed", "--no-deps", "--only-binary", ":all:"),
    *("--quiet", "--disable-pip-version-check", "--no-input", "--report", "-"),
)
_OTHER_VERSIONS = re.compile(r"\(from versions: (?!none\))")
"""What pip says of an index that has the package, but not this version. It says "none" also where no index answers."""
_STRONG = ("sha512", "sha384", "sha256")


@dataclass(frozen=True, slots=True)
class PackageLocation:
    """Where an archive is, and the hash that the registry gives for it, in hexadecimal."""

    url: str
    algorithm: str
    digest: str


def locate(package: Package, access: SourceAccess) -> PackageLocation:
    """Return where the archive of a package is.

    Raises `Gone` if the registry has no such version, and `SourceFailed` if the tool does not say it in time.
    """
    return _located_by_pip(package, access) if package.registry == "pypi" else _located_by_npm(package, access)


def _located_by_pip(package: Package, access: SourceAccess) -> PackageLocation:
    if version_of("pip") is None:
        raise SourceFailed(f"{package}: pip is not installed for {sys.executable}")
    done = _run([sys.executable, "-P", "-m", "pip", "install", *_PIP_OPTIONS, "--", package.spec], package, access)
    if done.returncode:
        raise _refused_by_pip(package, done.stderr)
    try:
        (install,) = json.loads(done.stdout)["install"]
        found = install["download_info"]
        return PackageLocation(found["url"], "sha256", _hex(found["archive_info"]["hashes"]["sha256"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SourceFailed(f"{package}: pip's answer names no wheel with a SHA-256") from error


def _refused_by_pip(package: Package, said: str) -> SourceFailed:
    lines = said.splitlines()
    if _OTHER_VERSIONS.search(said):
        return Gone(f"{package}: pip: {_last(lines)}")
    warnings = [line for line in lines if line.startswith("WARNING: ")]
    warned = f" (after {_last(warnings)})" if warnings else ""
    return SourceFailed(
        f"{package}: pip: {_last(lines)}{warned}; only wheels are taken, because building a package would run its code"
    )


def _located_by_npm(package: Package, access: SourceAccess) -> PackageLocation:
    npm = shutil.which("npm", path=access.environ.get("PATH", ""))
    if npm is None:
        raise SourceFailed(f"{package}: npm is not installed")
    done = _run([npm, "view", "--json", "--no-update-notifier", "--", package.spec, "dist"], package, access)
    answer = _json(done.stdout)
    if done.returncode:
        error = _member(answer, "error")
        said = _member(error, "summary") or _last(done.stderr.splitlines())
        kind = Gone if _member(error, "code") == "E404" else SourceFailed
        raise kind(f"{package}: npm: {said}")
    tarball, integrity = _member(answer, "tarball"), _member(answer, "integrity")
    if not isinstance(tarball, str) or not isinstance(integrity, str):
        raise SourceFailed(f"{package}: npm's answer names no tarball with its integrity")
    return PackageLocation(tarball, *_strongest(package, integrity))


def _run(command: Sequence[str], package: Package, access: SourceAccess) -> subprocess.CompletedProcess[str]:
    limit_s = access.patience.locate_s
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=dict(access.environ),
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        tool = "pip" if package.registry == "pypi" else "npm"
        raise SourceFailed(f"{package}: {tool} has not said within {limit_s:g} s where it is") from error


def _strongest(package: Package, integrity: str) -> tuple[str, str]:
    """Return algorithm and digest of an ``integrity``, which may have several."""
    found = dict(part.split("-", 1) for part in integrity.split() if "-" in part)
    for algorithm in _STRONG:
        try:
            if algorithm in found:
                return algorithm, base64.b64decode(found[algorithm].partition("?")[0], validate=True).hex()
        except binascii.Error:
            break
    raise SourceFailed(f"{package}: npm's integrity {integrity!r} has no {' or '.join(_STRONG)}")


def _hex(digest: str) -> str:
    return bytes.fromhex(digest).hex()


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _member(document: object, name: str) -> Any:
    return document.get(name) if isinstance(document, Mapping) else None


def _last(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "it failed without a word")

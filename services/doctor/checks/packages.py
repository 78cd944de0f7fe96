"""Wheels that do not fit together, and names that on the package index belong to something else.

Every declared dependency is imported in a process of its own: only then does show that two of them were compiled
against different versions of a third, or for another processor.
"""

from __future__ import annotations

import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata

from services.doctor.checks.requirements import Installed, Requirement, canonical, installed_requirements
from services.doctor.children import NoAnswer, Told, ask
from services.doctor.findings import Finding, fail, ok, warn

LIMIT_S = 180.0
_EACH_S = 60.0

_TRIED: Mapping[str, tuple[str, ...]] = {
    # These import next to nothing until something of theirs is used.
    "celery": ("celery.app.base", "kombu.transport.redis"),
    "huggingface-hub": ("huggingface_hub.hf_api",),
    "librosa": ("librosa.core.spectrum",),
    "scipy": ("scipy.signal",),
    # Asks a module that no longer exists for its own version; only what it compiled is used.
    "pyworld": ("pyworld/pyworld",),
}
"""What to import of a distribution, where that is not the package that has its name."""

_SURVIVED = re.compile(r"compiled using NumPy|_ARRAY_API not found")
"""Said by a package that was compiled against another NumPy and imports all the same: it breaks when it is used."""

PLACEHOLDERS: Mapping[tuple[str, str], str] = {
    ("kantts", "0.1.0"): "pip uninstall kantts; the real one is installed from alibaba-damo-academy/KAN-TTS by git",
    ("ttsfrd", "0.1.0"): "pip uninstall ttsfrd; the real wheels (CPython up to 3.10) lie in the model repository "
    "CosyVoice-ttsfrd, at Hugging Face and at ModelScope",
}
"""Name and version of a distribution that only holds the name -> what to do. modelscope's own extras ask for them."""

Import = Callable[[Sequence[str], float], Told]
"""Import these in a child within so many seconds. Raises `NoAnswer`."""


def version_of(name: str) -> str | None:
    """Version of an installed distribution."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def import_in_child(names: Sequence[str], timeout_s: float) -> Told:
    """`Import` by this interpreter."""
    return ask([sys.executable, "-m", "services.doctor.import_probe", *names], timeout_s)


def wheels(
    declared: Sequence[str], at_once: int, installed: Installed = version_of, load: Import = import_in_child
) -> Iterator[Finding]:
    """``declared``: the lines of Ringtrue's metadata."""
    requirements = installed_requirements(declared, installed)
    there: list[Requirement] = []
    bad: list[Finding] = []
    for wanted in requirements:
        if (version := installed(wanted.name)) is None:
            of = ", ".join(wanted.extras)
            bad.append(fail(f"{wanted.name} is missing, which {of} cannot do without", _again(wanted)))
            continue
        there.append(wanted)
        if wanted.version not in ("", version, version.partition("+")[0]):
            bad.append(warn(f"{wanted.name} is {version}, tried is {wanted.version}", _again(wanted)))
    bad += _unimportable(there, at_once, load)
    yield from bad
    if not bad:
        extras = sorted({extra for wanted in requirements for extra in wanted.extras})
        yield ok(f"{len(there)} packages of {', '.join(extras)} are at their pins, and each imports")


def placeholders(installed: Installed = version_of) -> Iterator[Finding]:
    """Distributions that hold a name and nothing else."""
    found = [(name, version, do) for (name, version), do in PLACEHOLDERS.items() if installed(name) == version]
    for name, version, do in found:
        yield fail(f"{name} {version} is an empty package that holds the name", do)
    if not found:
        yield ok("no package that only holds a name")


def _unimportable(requirements: Sequence[Requirement], at_once: int, load: Import) -> list[Finding]:
    modules = _modules()
    deadline = time.monotonic() + LIMIT_S - 10
    look = partial(_why_not, modules=modules, load=load, deadline=deadline)
    with ThreadPoolExecutor(at_once, thread_name_prefix="import") as pool:
        reasons = pool.map(look, requirements)
        return [
            fail(f"{wanted.name} {wanted.version} cannot be imported: {reason}", _again(wanted))
            for wanted, reason in zip(requirements, reasons, strict=True)
            if reason
        ]


def _why_not(wanted: Requirement, modules: Mapping[str, list[str]], load: Import, deadline: float) -> str:
    """Why a distribution cannot be imported; empty if it can."""
    patience_s = min(_EACH_S, deadline - time.monotonic())
    if patience_s <= 0:
        return f"not tried, the others took {LIMIT_S:g} s"
    try:
        told = load(_tried(wanted.name, modules), patience_s)
    except NoAnswer as error:
        return str(error)
    if told.code != 0:
        return told.last_words
    return "it was compiled against another NumPy" if _SURVIVED.search(told.errors) else ""


def _modules() -> Mapping[str, list[str]]:
    """Distribution -> the top-level modules that it brings."""
    brought = defaultdict(list)
    for module, distributions in metadata.packages_distributions().items():
        for distribution in distributions:
            brought[canonical(distribution)].append(module)
    return brought


def _tried(name: str, modules: Mapping[str, list[str]]) -> Sequence[str]:
    if name in _TRIED:
        return _TRIED[name]
    namesake = name.replace("-", "_")
    mine = modules.get(name, [namesake])
    return [namesake] if namesake in mine else sorted(module for module in mine if not module.startswith("_"))


def _again(wanted: Requirement) -> str:
    pinned = f"=={wanted.version}" if wanted.version else ""
    return f"pip install --force-reinstall --no-deps {wanted.name}{pinned}"

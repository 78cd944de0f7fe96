"""Checks for wheels that do not fit together, and for names that belong to something else on the package index.

Every declared dependency is imported in a process of its own: only then does it show that two of them were compiled
against different versions of a third, or for another processor.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata

from services.doctor.checks.requirements import Installed, Requirement, canonical, installed_requirements
from services.doctor.children import ChildOutput, NoAnswer, TooSlow, ask
from services.doctor.findings import Finding, fail, not_tried, ok, warn
from shared.processes.interpreter import run_module

LIMIT_S = 180.0
_EACH_S = 60.0
_WHEN_IDLE = "run ringtrue doctor --only wheels when the machine is less busy"

_TRIED: Mapping[str, tuple[str, ...]] = {
    # These import next to nothing until a part of them is used.
    "celery": ("celery.app.base", "kombu.transport.redis"),
    "huggingface-hub": ("huggingface_hub.hf_api",),
    "librosa": ("librosa.core.spectrum",),
    "scipy": ("scipy.signal",),
    # It asks a module that no longer exists for its own version. Only its compiled part is used.
    "pyworld": ("pyworld/pyworld",),
}
"""What to import of a distribution, if that is not the package with its name."""

_SURVIVED = re.compile(r"compiled using NumPy|_ARRAY_API not found")
"""Printed by a package that was compiled against another NumPy but can still be imported. It breaks when it is used."""

PLACEHOLDERS: Mapping[tuple[str, str], str] = {
    ("kantts", "0.1.0"): "pip uninstall kantts; install the real one from alibaba-damo-academy/KAN-TTS by git",
    ("ttsfrd", "0.1.0"): "pip uninstall ttsfrd; the real wheels (CPython up to 3.10) are in the model repository "
    "CosyVoice-ttsfrd, at Hugging Face and at ModelScope",
}
"""What to do about distributions that only hold a name, by name and version. modelscope's own extras ask for them."""

Import = Callable[[Sequence[str], float], ChildOutput]
"""Imports modules in a child, within so many seconds. Raises `NoAnswer`."""


def version_of(name: str) -> str | None:
    """Return the version of an installed distribution, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def import_in_child(names: Sequence[str], timeout_s: float) -> ChildOutput:
    """An `Import` by this interpreter."""
    return ask([*run_module("services.doctor.import_probe"), *names], timeout_s)


def wheels(
    declared: Sequence[str], at_once: int, installed: Installed = version_of, load: Import = import_in_child
) -> Iterator[Finding]:
    """Check every declared dependency. ``declared``: the lines of Ringtrue's metadata."""
    requirements = installed_requirements(declared, installed)
    there: list[Requirement] = []
    bad: list[Finding] = []
    for wanted in requirements:
        if (version := installed(wanted.name)) is None:
            of = ", ".join(wanted.extras)
            bad.append(fail(f"{wanted.name} is missing, but {of} needs it", _again(wanted)))
            continue
        there.append(wanted)
        if wanted.version not in ("", version, version.partition("+")[0]):
            bad.append(warn(f"{wanted.name} is {version}, tested with {wanted.version}", _again(wanted)))
    found = _imported(there, at_once, load)
    bad += [
        fail(f"{wanted.name} {wanted.version} cannot be imported: {why_not}", _again(wanted))
        for wanted, why_not in found
        if why_not and not isinstance(why_not, TooSlow)
    ]
    yield from bad
    slow = [wanted.name for wanted, why_not in found if isinstance(why_not, TooSlow)]
    if slow:
        yield not_tried(
            f"{len(slow)} of {len(there)} packages were not checked within {LIMIT_S:g} s: {', '.join(slow)}",
            _WHEN_IDLE,
        )
    elif not bad:
        extras = sorted({extra for wanted in requirements for extra in wanted.extras})
        yield ok(f"{len(there)} packages of {', '.join(extras)} have their pinned versions and can be imported")


def placeholders(installed: Installed = version_of) -> Iterator[Finding]:
    """Check for distributions that hold a name and nothing else."""
    found = [(name, version, do) for (name, version), do in PLACEHOLDERS.items() if installed(name) == version]
    for name, version, do in found:
        yield fail(f"{name} {version} is an empty placeholder package", do)
    if not found:
        yield ok("no placeholder packages")


def _imported(
    requirements: Sequence[Requirement], at_once: int, load: Import
) -> list[tuple[Requirement, str | TooSlow]]:
    """Return each requirement with the reason why it cannot be imported, or is not known to be; empty if it can."""
    modules = _modules()
    deadline = time.monotonic() + LIMIT_S - 10
    look = partial(_why_not, modules=modules, load=load, deadline=deadline)
    with ThreadPoolExecutor(at_once, thread_name_prefix="import") as pool:
        return list(zip(requirements, pool.map(look, requirements), strict=True))


def _why_not(wanted: Requirement, modules: Mapping[str, list[str]], load: Import, deadline: float) -> str | TooSlow:
    """Return why a distribution cannot be imported, or is not known to be; empty if it can."""
    patience_s = min(_EACH_S, deadline - time.monotonic())
    if patience_s <= 0:
        return TooSlow(f"the other packages took {LIMIT_S:g} s")
    try:
        told = load(_tried(wanted.name, modules), patience_s)
    except TooSlow as slow:
        return slow
    except NoAnswer as error:
        return str(error)
    if told.code != 0:
        return told.last_words
    return "it was compiled against another NumPy" if _SURVIVED.search(told.errors) else ""


def _modules() -> Mapping[str, list[str]]:
    """Return the top-level modules of each distribution."""
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

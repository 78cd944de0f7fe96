"""The words of docs/glossary.md are the words in use: those that they replaced are nowhere in the tree."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RETIRED = {
    r"bells?": "wake-up",
    r"(Wh|wh)ereabouts|(S|s)urroundings": "environment record",
    r"(O|o)utposts?": "foreign Python",
    r"(L|l)ookouts?|looking_out": "polling",
    r"(S|s)eclusion": "sandbox",
    r"(O|o)nlookers?|done_by_crew|now_and_then\.py": "progress",
    r"(R|r)ecitals?|recite[sd]?": "runs",
    r"(Crowd|crowd)": "load",
    r"(S|s)hel(f|ves)": "catalog pins, or a model store",
    r"(E|e)ars": "upload decoder",
    r"\w*Bench|bench_of|judging_bench|tracking_bench": "deps",
    r"_?ring_\w+|_ring": "wake_…",
    r"own_folder|OwnFolder": "locked temporary folder",
    r"folder_held": "folder lock",
    r"computed_before|ComputedBefore": "result cache",
    r"(W|w)hence": "source, or where from",
    r"(W|w)ishes": "options",
}
SENTENCES = ("For my ears only.",)
"""Spoken, not written about."""
KINDS = (".py", ".md", ".toml", ".yml", ".html", ".js")
SKIPPED = ("services/gateway/pages/swagger-ui/", "tests/docs/test_glossary.py")


def tree() -> dict[str, str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    texts = {}
    for name in names:
        path = ROOT / name
        if path.suffix in KINDS and path.is_file() and not name.startswith(SKIPPED):
            texts[name] = path.read_text()
    return texts


def test_no_retired_word_is_left() -> None:
    found = []
    for name, text in tree().items():
        read = f"{name} {re.sub('|'.join(SENTENCES), '', text)}"
        for word, instead in RETIRED.items():
            if (hit := re.search(rf"\b(?:{word})\b", read)) is not None:
                found.append(f"{name}: {hit.group()!r}; the word is {instead}")
    assert found == []


def test_the_glossary_is_sorted_into_tables_without_doubles() -> None:
    words = re.findall(r"^\| ([a-z, -]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = [word for word in words if word != "word"]
    assert len(words) == len(set(words)) > 30

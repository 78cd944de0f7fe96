"""Suites as people write them: one in both notations, and a head to put under items of a test's own."""

from __future__ import annotations

from typing import Any

from shared.suites.errors import Fault, SuiteInvalid
from shared.suites.reading import parse_suite
from shared.suites.suite import Item, Suite

HEAD = """\
schema: 1
name: ours
version: "1.0"
title: Ours
licence: CC0-1.0
language: en
items:
"""
FIRST = 8
"""The line in which the first item under `HEAD` begins."""
ONE = "- {id: a, text: One.}\n"

IN_YAML = """\
# Comments are free.
schema: 1
name: ours
version: "1.0"
title: Ours
licence: CC0-1.0
description: >-
  What we speak
  before a release.
language: en
items:
  - id: plain
    text: "No, really: 20 % off."
  - {id: glad, text: It rings true!, emotion: happy, strength: 0.8, tags: [dialect:north, short]}
  - id: french
    text: |-
      Cafe\u0301 ouvert.
      Entrez.
    language: fr-CA
    emotion: indextts2:melancholic
    voice: anna
    reference: voice_1
"""
IN_JSON_LINES = "\n".join(
    (
        '{"schema": 1, "name": "ours", "version": "1.0", "title": "Ours", "licence": "CC0-1.0", "language": "en",'
        ' "description": "What we speak before a release."}',
        '{"text": "No, really: 20 % off.", "id": "plain"}',
        "",
        '{"id": "glad", "text": "It rings true!", "emotion": "happy", "strength": 0.8,'
        ' "tags": ["short", "dialect:north"]}',
        '{"id": "french", "text": "Caf\\u00e9 ouvert.\\nEntrez.", "language": "fr-ca", "voice": "anna",'
        ' "emotion": "indextts2:melancholic", "reference": "voice_1"}',
    )
)
SUITE = Suite(
    name="ours",
    version="1.0",
    title="Ours",
    licence="CC0-1.0",
    description="What we speak before a release.",
    items=(
        Item("plain", "No, really: 20 % off.", "en"),
        Item("glad", "It rings true!", "en", emotion="happy", strength=0.8, tags=("dialect:north", "short")),
        Item(
            "french",
            "Café ouvert.\nEntrez.",
            "fr-ca",
            emotion="indextts2:melancholic",
            voice="anna",
            reference="voice_1",
        ),
    ),
)


def parsed(text: str, file: str = "suite.yaml") -> Suite:
    return parse_suite(text.encode(), file)


def faults(text: str | bytes, file: str = "suite.yaml") -> list[Fault]:
    """All that is wrong with a suite."""
    try:
        parse_suite(text if isinstance(text, bytes) else text.encode(), file)
    except SuiteInvalid as error:
        return list(error.faults)
    return []


def as_data(suite: Suite) -> dict[str, Any]:
    """As a program would write it."""
    return {name: member for name, member in suite.to_json().items() if name != "sha256"}

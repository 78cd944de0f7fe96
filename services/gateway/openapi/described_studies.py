"""The OpenAPI descriptions of the routes of evaluations, comparisons and gates.

Owns no behaviour. Schemas are named here and defined in `services/gateway/openapi/document.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.gateway.openapi.describing import (
    BODY,
    EVERYWHERE,
    KEY,
    PAGE,
    PREFER,
    SUBMISSION,
    TEXT,
    WAIT,
    WORK,
    Json,
    answer,
    described,
    json_body,
    parameter,
)
from shared.errors import RefusalCode

_C = RefusalCode
_ID = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
EVALUATION_EXAMPLES: Mapping[str, Any] = {
    "golden": {
        "summary": "A suite that ships, once",
        "value": {"suite": "golden-en-emotion", "pin": "espeak-v2"},
    },
    "own": {
        "summary": "A suite of one's own, five seeds, some metrics, in a hurry",
        "value": {
            "suite": {
                "schema": 1,
                "name": "ours",
                "version": "1",
                "title": "What customers hear first",
                "licence": "CC0-1.0",
                "language": "en",
                "items": [{"id": "greeting-1", "text": "Good morning!", "emotion": "happy", "tags": ["greeting"]}],
            },
            "pin": "indextts2@candidate",
            "seeds": 5,
            "score": ["signal", "dnsmos", "asr"],
            "params": {"speed": 1.1},
            "preprocessing": "plain@1",
            "priority": 5,
        },
    },
}
COMPARISON_EXAMPLES: Mapping[str, Any] = {
    "two": {
        "summary": "The candidate against the baseline",
        "value": {"baseline": f"eval_{_ID}", "candidate": f"eval_{_ID[:-1]}Y"},
    },
}
GATE_EXAMPLES: Mapping[str, Any] = {
    "default": {"summary": "The rules that ship", "value": {"comparison": f"cmp_{_ID}"}},
    "own": {
        "summary": "No worse in sound, fewer wrong words",
        "value": {
            "comparison": f"cmp_{_ID}",
            "rules": {
                "schema": 1,
                "rule": [
                    {"metric": "mos/dnsmos_ovrl", "not_worse_by": 0.1},
                    {"metric": "asr/wer", "better_by": "5 %", "if_covered": True},
                ],
            },
        },
    },
}

_LISTED = [
    parameter("cursor", "query", TEXT, "`next_cursor` of the page before."),
    parameter("limit", "query", PAGE, "Most entries on a page."),
]
_CONDITION = parameter("If-None-Match", "header", TEXT, "Answer 304 if the file still has this ETag.")
_NAMED = parameter("path", "path", TEXT, "Path of one of its files.")


def _id_of(kind: str) -> Json:
    return parameter("study_id", "path", TEXT, f"Id of {kind} of yours.")


def _create(operation: str, schema: str, request: str, examples: Mapping[str, Any], *codes: RefusalCode) -> Json:
    return described(
        operation,
        {202: answer("Accepted: it is on disk. `Location` is its address.", schema)},
        [*codes, *BODY, *EVERYWHERE],
        [KEY],
        json_body(request, examples),
    )


def _read(operation: str, schema: str, kind: str, missing: RefusalCode) -> Json:
    return described(
        operation,
        {200: answer("Its present state.", schema)},
        [_C.INVALID_REQUEST, missing, *EVERYWHERE],
        [_id_of(kind), WAIT, PREFER],
    )


def _list(operation: str, schema: str, *filters: Json) -> Json:
    return described(
        operation, {200: answer("A page.", schema)}, [_C.INVALID_REQUEST, *EVERYWHERE], [*filters, *_LISTED]
    )


def _file(operation: str, kind: str, missing: RefusalCode, *named: Json, media_type: str = "*/*") -> Json:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return described(
        operation,
        {
            200: {"description": "The file, by the type of its name; its `ETag` is its SHA-256.", "content": content},
            304: {"description": "Not changed; such files never change."},
        },
        [missing, _C.FILE_NOT_READY, *EVERYWHERE],
        [_id_of(kind), *named, _CONDITION],
    )


EVALUATE = _create(
    "createEvaluation",
    "Evaluation",
    "EvaluationRequest",
    EVALUATION_EXAMPLES,
    *SUBMISSION,
    _C.SUITE_UNKNOWN,
    _C.SUITE_INVALID,
    *WORK,
)
LIST_EVALUATIONS = _list(
    "listEvaluations",
    "EvaluationList",
    parameter("pin", "query", TEXT, "Only evaluations of this pin."),
    parameter("suite", "query", TEXT, "Only evaluations of the suite of this name."),
)
_EVALUATION = "an evaluation"
READ_EVALUATION = _read("getEvaluation", "Evaluation", _EVALUATION, _C.EVALUATION_NOT_FOUND)
CANCEL_EVALUATION = described(
    "cancelEvaluation",
    {200: answer("The evaluation after it.", "Evaluation")},
    [_C.EVALUATION_NOT_FOUND, *EVERYWHERE],
    [_id_of(_EVALUATION)],
)
LIST_CLIPS = described(
    "listClips",
    {200: answer("All of them, in their order.", "ClipList")},
    [_C.EVALUATION_NOT_FOUND, *EVERYWHERE],
    [_id_of(_EVALUATION)],
)
EVALUATION_FILE = _file("getEvaluationFile", _EVALUATION, _C.EVALUATION_NOT_FOUND, _NAMED)

_COMPARISON = "a comparison"
COMPARE = _create(
    "createComparison",
    "Comparison",
    "ComparisonRequest",
    COMPARISON_EXAMPLES,
    _C.INVALID_REQUEST,
    _C.EVALUATION_NOT_FOUND,
)
LIST_COMPARISONS = _list("listComparisons", "ComparisonList")
READ_COMPARISON = _read("getComparison", "Comparison", _COMPARISON, _C.COMPARISON_NOT_FOUND)
REPORT = _file("getReport", _COMPARISON, _C.COMPARISON_NOT_FOUND, media_type="text/html")
COMPARISON_FILE = _file("getComparisonFile", _COMPARISON, _C.COMPARISON_NOT_FOUND, _NAMED)

_GATE = "a gate"
GATE = _create("createGate", "Gate", "GateRequest", GATE_EXAMPLES, _C.INVALID_REQUEST, _C.COMPARISON_NOT_FOUND)
LIST_GATES = _list("listGates", "GateList")
READ_GATE = _read("getGate", "Gate", _GATE, _C.GATE_NOT_FOUND)
GATE_FILE = _file("getGateFile", _GATE, _C.GATE_NOT_FOUND, _NAMED)
DEFAULT_RULES = described(
    "getDefaultRules",
    {200: {"description": "The file.", "content": {"application/toml": {"schema": TEXT}}}},
    EVERYWHERE,
)

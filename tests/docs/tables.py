"""The tables in docs/ that are made from code, and the schema of suites.

``python tests/docs/tables.py`` writes them; a test holds them equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from services.doctor.panel import CHECKS
from services.gateway.http.errors import PROBLEMS
from shared.errors import FailureCode
from shared.metrics import METRICS
from shared.scores import MetricInfo, Reason
from shared.settings import SETTINGS
from shared.suites.form import suite_schema

DOCS = Path(__file__).parents[2] / "docs"
SUITE_SCHEMA = DOCS.parent / "shared" / "suites" / "suite.schema.json"


def _by_default(info: MetricInfo) -> str:
    if info.where_pulled:
        return "where its weights have been pulled"
    return "yes" if info.default else "no"


def metrics_page() -> str:
    """docs/metrics.md"""
    lines = [
        "# Metrics",
        "",
        "This page is made from each metric's `MetricInfo` (shared/metrics.py) by `python tests/docs/tables.py`. Other packages",
        "can bring more families ([CONTRIBUTING.md](../CONTRIBUTING.md#adding-a-metric)); the gateway's OpenAPI document has all.",
        "",
        "A job's `score` is `true` (all families that are measured by default), `false`, or a list of families. A value that",
        f"could not be measured is `unscored` with one of these reasons: {', '.join(f'`{reason.value}`' for reason in Reason)}.",
        "",
        "[pinned-metrics.md](pinned-metrics.md) says how to choose the weights of pinned metrics, and what these cannot tell.",
    ]
    for info in METRICS.values():
        needs = [name for name in ("speech", "text", "reference", "pronunciation") if getattr(info, f"needs_{name}")]
        languages = ", ".join(info.languages) if info.languages else "any"
        lines += [
            "",
            f"## `{info.family}`: {info.title}",
            "",
            f"Needs: {', '.join(needs) or 'nothing'}. Languages: {languages}. By default: {_by_default(info)}. "
            f"Licence: {info.licence}.  ",
            f"Source: {info.source}",
            "",
            "| name | unit | better | range |",
            "|---|---|---|---|",
        ]
        for quantity in info.quantities:
            low, high = ("" if bound is None else f"{bound:g}" for bound in (quantity.low, quantity.high))
            span = f"{low} … {high}" if low or high else ""
            lines.append(f"| `{quantity.name}` | {quantity.unit} | {quantity.direction.value} | {span} |")
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    """docs/codes.md"""
    lines = [
        "# Codes",
        "",
        "This page is made from `shared/errors.py` and `services/gateway/http/errors.py` by `python tests/docs/tables.py`.",
        "A refused request is answered with `application/problem+json` (RFC 9457). A `code` never changes its meaning.",
        "`GET /problems/<code-with-dashes>` explains it in a sentence.",
        "",
        "| code | status | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{code.value}` | {problem.status} | {problem.sentence} |" for code, problem in PROBLEMS.items()]
    lines += ["", "A job that was accepted and failed has one of these in `error.code`:", ""]
    lines += [f"- `{code.value}`" for code in FailureCode]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/settings.md"""
    lines = [
        "# Settings",
        "",
        "This page is made from `shared/settings.py` by `python tests/docs/tables.py`. Settings are environment variables.",
        "Every service and `ringtrue doctor` warn about a misspelt `RINGTRUE_…`.",
        "",
        "| variable | meaning |",
        "|---|---|",
        *(f"| `{name}` | {sentence} |" for name, sentence in SETTINGS.items()),
        "| `MLFLOW_TRACKING_URI` | The MLflow server. Default: `ringtrue up` starts one. |",
        "| `MLFLOW_TRACKING_USERNAME`, `_PASSWORD`, `_TOKEN` | MLflow's own, for a server that asks who is there. |",
    ]
    return "\n".join(lines) + "\n"


def doctor_page() -> str:
    """docs/doctor.md"""
    lines = [
        "# `ringtrue doctor`",
        "",
        "This page is made from `services/doctor/panel.py` by `python tests/docs/tables.py`.",
        "",
        "It checks everything that Ringtrue needs, all at once. For each finding it prints a line with what to do: `ok`,",
        "`not tried` (the machine was too busy, so the check did not finish), `warn` (Ringtrue runs, but something is worse",
        "than it could be) or `fail` (something does not run). It repairs nothing, leaves nothing behind, and needs no",
        "gateway. The exit code is 1 if anything fails, 64 for a wrong command line, and 0 otherwise. A check that crashes is",
        "a `fail` on a line of its own. A check that does not finish is `not tried`.",
        "",
        "`--only CHECK` runs only that check and may be repeated. `--pin PIN` checks those pins instead of all locked ones.",
        "`--host` and `--port` are the gateway's. `--json` prints one document: `status` (the worst of all) and `checks`,",
        "each with `name`, `status` (`ok`, `not_tried`, `warn`, `fail`), `says` and `do`.",
        "",
        "| check | looks at |",
        "|---|---|",
        *(f"| `{name}` | {sentence} |" for name, sentence in CHECKS.items()),
    ]
    return "\n".join(lines) + "\n"


def pages() -> Mapping[Path, str]:
    """Every page that is made from code, by its path."""
    return {
        DOCS / "metrics.md": metrics_page(),
        DOCS / "codes.md": codes_page(),
        DOCS / "settings.md": settings_page(),
        DOCS / "doctor.md": doctor_page(),
        SUITE_SCHEMA: json.dumps(suite_schema(), indent=2, ensure_ascii=False) + "\n",
    }


if __name__ == "__main__":
    for path, page in pages().items():
        path.write_text(page)

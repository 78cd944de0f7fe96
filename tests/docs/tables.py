"""The tables in docs/ that are made from code, and the schema of suites.

``python tests/docs/tables.py`` writes them; a test holds them equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from services.doctor.panel import CHECKS
from services.gateway.errors import PROBLEMS
from services.scorer.metrics.table import FAMILIES
from shared.errors import FailureCode
from shared.scores import Reason
from shared.settings import SETTINGS
from shared.suites.schema import suite_schema

DOCS = Path(__file__).parents[2] / "docs"
SUITE_SCHEMA = DOCS.parent / "shared" / "suites" / "suite.schema.json"


def metrics_page() -> str:
    """docs/metrics.md"""
    lines = [
        "# Metrics",
        "",
        "Made from each metric's `MetricInfo` (services/scorer/metrics/infos.py) by `python tests/docs/tables.py`.",
        "",
        "A job's `score` takes `true` (the families marked so), `false`, or a list of families. A value that could not be",
        f"measured is `unscored` with one of: {', '.join(f'`{reason.value}`' for reason in Reason)}.",
        "",
        "How to choose the weights of those that are pinned, and what they cannot tell: [pinned-metrics.md](pinned-metrics.md).",
    ]
    for family in FAMILIES.values():
        info = family.info
        needs = [name for name in ("speech", "text", "reference") if getattr(info, f"needs_{name}")]
        languages = ", ".join(info.languages) if info.languages else "any"
        lines += [
            "",
            f"## `{info.family}`: {info.title}",
            "",
            f"Needs: {', '.join(needs) or 'nothing'}. Languages: {languages}. By default: {'yes' if info.default else 'no'}. "
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
        "Made from `shared/errors.py` and `services/gateway/errors.py` by `python tests/docs/tables.py`. A refused request is",
        "answered with `application/problem+json` (RFC 9457); its `code` never changes meaning. `GET /problems/<code-with-",
        "dashes>` says the same in a sentence.",
        "",
        "| code | status | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{code.value}` | {problem.status} | {problem.sentence} |" for code, problem in PROBLEMS.items()]
    lines += ["", "A job that was taken and could not be done has one of these in `error.code`:", ""]
    lines += [f"- `{code.value}`" for code in FailureCode]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/settings.md"""
    lines = [
        "# Settings",
        "",
        "Made from `shared/settings.py` by `python tests/docs/tables.py`. Environment variables; a misspelt `RINGTRUE_…` is",
        "warned about at the start of every process.",
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
        "Made from `services/doctor/panel.py` by `python tests/docs/tables.py`.",
        "",
        "Looks at everything that Ringtrue stands on, all at once, and says a line per finding: `ok`, `warn` (it runs, and",
        "something will be worse than it could be) or `fail` (something does not run), and what to do about it. It repairs",
        "nothing, leaves nothing behind, and needs no gateway. The exit code is 1 where anything fails, 0 otherwise, 64 for a",
        "wrong command line. A check that crashes or hangs is a `fail` of its own line.",
        "",
        "`--only CHECK` (may be repeated) looks at that alone, `--pin PIN` at those pins instead of all that are locked,",
        "`--host` and `--port` are the gateway's; `--json` gives one document: `status` (the worst of all) and `checks`, each",
        "with `name`, `status`, `says` and `do`.",
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

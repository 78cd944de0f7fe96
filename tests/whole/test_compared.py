"""``ringtrue compare`` on a deployment: the report, MLflow and the items table tell the same numbers.

What they have to be is recomputed here from the items table, in a few lines that share nothing with the comparison.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from pyarrow import parquet

from tests.whole.stack import Stack, eventually, running

pytestmark = pytest.mark.timeout(900)  # the first test to ask waits for 70 clips, on a busy machine for minutes

PINS = ("espeak-v1", "espeak-v2")
SUITE = "golden-en-emotion"
METRICS = ("mos/dnsmos_ovrl", "mos/dnsmos_p808", "signal/duration_s", "signal/clipping_ratio", "prosody/f0_median_hz")
Means = dict[str, dict[str, float]]
"""Metric -> item -> mean over its seeds."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nothing was ever spoken here."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    with running(stack, "redis", "mlflow", "gateway", "worker", "scorer"):
        yield stack


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report") / "report.html"


@pytest.fixture(scope="module")
def compared(stack: Stack, page: Path) -> dict[str, Any]:
    """What the command prints as JSON."""
    families = [word for family in ("dnsmos", "signal", "prosody") for word in ("--score", family)]
    asked = ["compare", *PINS, "--suite", SUITE, "--seeds", "1", *families, "-o", str(page), "--json"]
    found: dict[str, Any] = json.loads(stack.ringtrue("--url", stack.url, *asked))
    return found


@pytest.fixture(scope="module")
def sides(stack: Stack, compared: dict[str, Any]) -> list[dict[str, Any]]:
    """Both evaluations, tracked."""

    def tracked(evaluation_id: str) -> dict[str, Any] | None:
        found: dict[str, Any] = stack.http.get(f"/v1/evaluations/{evaluation_id}").json()
        return found if found["tracking"]["status"] == "done" else None

    ids = (compared["baseline"], compared["candidate"])
    return [eventually(lambda one=one: tracked(one), 90, f"{one} is tracked") for one in ids]


@pytest.fixture(scope="module")
def recomputed(stack: Stack, sides: list[dict[str, Any]]) -> list[Means]:
    """From the items tables, as MLflow has them."""
    return [means(items_of(stack, side["tracking"]["run_id"])) for side in sides]


def items_of(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    uri = stack.mlflow.get("/api/2.0/mlflow/runs/get", params={"run_id": run_id}).json()["run"]["info"]["artifact_uri"]
    path = uri.removeprefix("mlflow-artifacts:").lstrip("/")
    content = stack.mlflow.get(f"/api/2.0/mlflow-artifacts/artifacts/{path}/items.parquet").content
    rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(content)).to_pylist()
    return rows


def means(rows: list[dict[str, Any]]) -> Means:
    items = sorted({row["item"] for row in rows})
    return {
        metric: {item: fmean(row[metric] for row in rows if row["item"] == item) for item in items}
        for metric in METRICS
    }


def metrics_of(run: dict[str, Any]) -> dict[str, float]:
    return {one["key"]: one["value"] for one in run["data"]["metrics"]}


def cells(page: Path, metric: str) -> list[str]:
    """A metric's row of the report's table, as it is read."""
    rows = re.findall(r"<tr>.*?</tr>", page.read_text(), re.DOTALL)
    read = (
        [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.split(r"</t[hd]>", row)] for row in rows
    )
    return next(row for row in read if row[0].startswith(metric))


@pytest.mark.parametrize("metric", METRICS)
def test_the_comparison_is_what_the_items_table_says(
    compared: dict[str, Any], recomputed: list[Means], metric: str
) -> None:
    before, after = (side[metric] for side in recomputed)
    row = next(one for one in compared["result"]["rows"] if (one["metric"], one["scope"]) == (metric, "overall"))
    assert row["n"] == len(before) == len(after) == 35
    assert row["baseline_mean"] == pytest.approx(fmean(before.values()))
    assert row["candidate_mean"] == pytest.approx(fmean(after.values()))
    assert row["difference"]["estimate"] == pytest.approx(
        fmean(after[item] - before[item] for item in before), abs=1e-12
    )
    assert row["difference"]["low"] <= row["difference"]["estimate"] <= row["difference"]["high"]


@pytest.mark.parametrize("metric", METRICS)
def test_the_parent_runs_in_mlflow_have_the_same_means(
    stack: Stack, sides: list[dict[str, Any]], recomputed: list[Means], metric: str
) -> None:
    for side, expected in zip(sides, recomputed, strict=True):
        run = stack.mlflow.get("/api/2.0/mlflow/runs/get", params={"run_id": side["tracking"]["run_id"]}).json()["run"]
        assert metrics_of(run)[metric] == pytest.approx(fmean(expected[metric].values()))


def test_so_have_the_runs_of_the_clips(stack: Stack, sides: list[dict[str, Any]], recomputed: list[Means]) -> None:
    for side, expected in zip(sides, recomputed, strict=True):
        parent = side["tracking"]["run_id"]
        experiment = stack.mlflow.get("/api/2.0/mlflow/runs/get", params={"run_id": parent}).json()["run"]["info"]
        body = {
            "experiment_ids": [experiment["experiment_id"]],
            "filter": f"tags.`mlflow.parentRunId` = '{parent}'",
            "max_results": 1000,
        }
        runs = stack.mlflow.post("/api/2.0/mlflow/runs/search", json=body).json()["runs"]
        assert len(runs) == 35
        found = {
            tag["value"]: metrics_of(run) for run in runs for tag in run["data"]["tags"] if tag["key"] == "tts.item"
        }
        for metric in METRICS:
            assert {item: values[metric] for item, values in found.items()} == pytest.approx(expected[metric])


def test_the_report_shows_them(compared: dict[str, Any], recomputed: list[Means], page: Path) -> None:
    before, after = (fmean(side["mos/dnsmos_ovrl"].values()) for side in recomputed)
    _, shown, difference, *_ = cells(page, "mos/dnsmos_ovrl")
    assert shown == f"{before:.2f} → {after:.2f} MOS"
    assert difference.startswith(f"{after - before:+.2f} MOS".replace("-", "−"))
    before, after = (fmean(side["prosody/f0_median_hz"].values()) for side in recomputed)
    assert [float(mean) for mean in re.findall(r"[\d.]+", cells(page, "prosody/f0_median_hz")[1])] == pytest.approx(
        [before, after], abs=0.1
    )


def test_asked_again_nothing_is_spoken_again(
    stack: Stack, compared: dict[str, Any], sides: list[dict[str, Any]]
) -> None:
    again = stack.ringtrue(
        "--url",
        stack.url,
        "compare",
        *PINS,
        "--suite",
        SUITE,
        "--score",
        "dnsmos",
        "--score",
        "signal",
        "--score",
        "prosody",
        "--json",
    )
    found = json.loads(again)
    assert found["id"] != compared["id"]
    assert found["result"]["rows"] == compared["result"]["rows"]
    for name in ("baseline", "candidate"):
        evaluation = stack.http.get(f"/v1/evaluations/{found[name]}").json()
        assert evaluation["progress"]["cached"] == 35

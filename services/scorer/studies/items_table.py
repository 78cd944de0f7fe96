"""The items table of an evaluation: a row per item and seed, with every score, as Parquet and as JSON lines.

Owns its columns. A missing score is null, and the column ``<quantity>.unscored`` beside it gives the reason. The column
``<quantity>.transcript`` is there if a clip has one: what was heard and what was compared. So is
``<quantity>.readings``: what each recogniser heard of a pronunciation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.quantities import known_quantities
from shared.scores import Score, Scored, Unscored
from shared.suites.suite import Item

_TEXT, _NUMBER = pa.string(), pa.float64()
_TRANSCRIPT = pa.struct(dict.fromkeys(("heard", "text_counted", "heard_counted"), _TEXT))
_READINGS = pa.list_(pa.struct({"recogniser": _TEXT, "reading": _TEXT, "right": pa.bool_(), "margin": _NUMBER}))
_COLUMNS = {
    "item": _TEXT,
    "seed": pa.int64(),
    "text": _TEXT,
    "language": _TEXT,
    "emotion": _TEXT,
    "tags": pa.list_(_TEXT),
    "job_id": _TEXT,
    "run_id": _TEXT,
    "pcm_sha256": _TEXT,
    "duration_s": _NUMBER,
    "cached": pa.bool_(),
    "error": _TEXT,
}
PARQUET, JSON_LINES = "items.parquet", "items.jsonl"


def items_table(evaluated: Evaluated) -> dict[str, bytes]:
    """Return both files by their names.

    The same evaluation gives the same bytes. ``run_id`` is null until a clip is in MLflow.
    """
    quantities = known_quantities().ordered({name for clip in evaluated.clips for name in clip.scores})
    items = evaluated.items
    columns = _score_columns(evaluated, quantities)
    rows = [_row(items[clip.item], clip, columns) for clip in evaluated.clips]
    return {PARQUET: _parquet(rows, columns), JSON_LINES: _json_lines(rows)}


def _score_columns(evaluated: Evaluated, quantities: Sequence[str]) -> dict[str, pa.DataType]:
    """Return the columns of the scores with their types."""
    columns: dict[str, pa.DataType] = {}
    for name in quantities:
        columns |= {name: _NUMBER, f"{name}.unscored": _TEXT}
        for detail, (type_, found) in _DETAILS.items():
            if any(found(clip.scores.get(name)) for clip in evaluated.clips):
                columns[f"{name}.{detail}"] = type_
    return columns


def _transcript(scored: Scored | None) -> dict[str, str] | None:
    return scored.transcript.to_json() if isinstance(scored, Score) and scored.transcript is not None else None


def _readings(scored: Scored | None) -> list[dict[str, Any]] | None:
    return [one.to_json() for one in scored.readings] if isinstance(scored, Score) and scored.readings else None


_DETAILS: Mapping[str, tuple[pa.DataType, Callable[[Scored | None], Any]]] = {
    "transcript": (_TRANSCRIPT, _transcript),
    "readings": (_READINGS, _readings),
}
"""Columns that a quantity has if a clip has something to write there."""


def _row(item: Item, clip: SpokenClip, columns: Mapping[str, pa.DataType]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "item": item.id,
        "seed": clip.seed,
        "text": item.text,
        "language": item.language,
        "emotion": item.emotion,
        "tags": list(item.tags),
        "job_id": clip.job_id,
        "run_id": clip.run_id,
        "pcm_sha256": clip.pcm_sha256,
        "duration_s": clip.duration_s,
        "cached": clip.cached,
        "error": clip.error,
    }
    for name, scored in ((name, clip.scores.get(name)) for name in columns if f"{name}.unscored" in columns):
        row[name] = scored.value if isinstance(scored, Score) else None
        row[f"{name}.unscored"] = scored.reason.value if isinstance(scored, Unscored) else None
        for detail, (_, found) in _DETAILS.items():
            if (column := f"{name}.{detail}") in columns:
                row[column] = found(scored)
    return row


def _parquet(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema({**_COLUMNS, **columns})), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()

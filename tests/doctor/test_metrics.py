"""A metric family of another package that cannot be taken."""

from __future__ import annotations

from pathlib import Path

from tests.doctor.patient import examined, says_warn


def test_a_package_that_does_not_import(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ringtrue.metrics]\nlost = no_such_module:FACTS\n")
    diagnosis = examined(tmp_path / "data", "metrics", PYTHONPATH=str(tmp_path))
    says_warn(diagnosis, "metrics", "the metric family lost of broken 1.0 is refused", "mend or uninstall that package")


def test_one_that_does(tmp_path: Path, loudness_range_path: Path) -> None:
    line = examined(tmp_path, "metrics", PYTHONPATH=str(loudness_range_path)).line("metrics")
    assert (line.status, line.says.endswith("semantic_multilingual, loudness_range")) == ("ok", True)

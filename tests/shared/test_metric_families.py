"""Metric families of other packages: found beside ours, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import metric_families
from shared.metrics import METRICS

FACTS = """
from shared.scores import Direction, MetricInfo, Quantity

def info(family="mine", name="mine/value", code="mine.code:Mine", **more):
    values = (Quantity(name, "1", more.pop("direction", Direction.HIGHER)),)
    return MetricInfo(family, "Mine", values, "MIT", "Mine et al.", code, **more)

"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages that is looked in."""
    monkeypatch.syspath_prepend(tmp_path)
    metric_families.look_up.cache_clear()
    yield tmp_path
    metric_families.look_up.cache_clear()


def package(folder: Path, module: str, code: str, family: str = "mine") -> None:
    """A package with the facts of one family in ``module``."""
    (folder / f"{module}.py").write_text(FACTS + code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ringtrue.metrics]\n{family} = {module}:FACTS\n")


def test_a_family_of_another_package_comes_after_ours(folder: Path) -> None:
    package(folder, "of_mine", "FACTS = info()")
    assert list(metric_families.families()) == [*METRICS, "mine"]
    assert metric_families.refused() == ()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import no_such_module_here", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("FACTS = {}", "is not the MetricInfo of a family of this name"),
        ("FACTS = info('other')", "is not the MetricInfo of a family of this name"),
        ("FACTS = info(name='mos/utmos')", "the value mos/utmos belongs to utmos already"),
        ("FACTS = info(name='asr/cer')", "the value asr/cer belongs to MLflow's runs already"),
        ("FACTS = info(name='coverage/mine')", "the value coverage/mine belongs to the rules of gates already"),
        ("FACTS = info(name='LRA')", "a value has a name such as mos/utmos, not 'LRA'"),
        ("FACTS = info(direction='up')", "mine/value has the direction 'up', which is no Direction"),
        ("FACTS = info(code='mine')", "the code of mine is module:class, not 'mine'"),
        ("FACTS = info(languages='zh')", "mine needs a tuple of languages"),
        ("FACTS = info(deadline_s=0)", "a deadline in seconds"),
        ("FACTS = info(deadline_s='60')", "TypeError"),
    ],
)
def test_a_family_that_cannot_be_taken_is_refused_by_name(folder: Path, code: str, why: str) -> None:
    module = f"refused_{abs(hash(code))}"
    package(folder, module, code)
    (sentence,) = metric_families.refused()
    assert sentence.startswith(f"the metric family mine of {module} 1.0 is refused: ")
    assert why in sentence
    assert metric_families.families() == METRICS


def test_a_family_of_our_name_is_refused(folder: Path) -> None:
    package(folder, "as_asr", "FACTS = info('asr')", "asr")
    assert "there is a family of this name already" in metric_families.refused()[0]
    assert metric_families.families() == METRICS


def test_of_two_packages_with_one_family_the_first_by_name_is_taken(folder: Path) -> None:
    package(folder, "of_b", "FACTS = info(name='mine/b')")
    package(folder, "of_a", "FACTS = info(name='mine/a')")
    assert metric_families.families()["mine"].names == ("mine/a",)
    assert metric_families.refused()[0].startswith("the metric family mine of of_b 1.0 is refused: ")

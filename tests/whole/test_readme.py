"""The README's commands for one job work as they are printed, against a running deployment."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.whole.stack import Stack

README = Path(__file__).parents[2] / "README.md"


def _commands(heading: str) -> list[str]:
    """The ``$`` lines of the console blocks below a heading, continuation lines included."""
    section = README.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    commands: list[str] = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("    "):
            commands[-1] += "\n" + line
    return commands


def test_one_job_by_curl_as_printed(stack: Stack, tmp_path: Path) -> None:
    curl = [command for command in _commands("One job") if "curl" in command]
    assert len(curl) == 4
    script = "set -eu -o pipefail\n" + "\n".join(curl)
    script = script.replace("http://127.0.0.1:8000", stack.url)
    printed = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=90, check=True
    ).stdout
    decoder = json.JSONDecoder()
    submitted, end = decoder.raw_decode(printed)
    looked_up, _ = decoder.raw_decode(printed[end:].lstrip())
    assert submitted["status"] == "succeeded"
    assert looked_up["id"] == submitted["id"]
    assert (tmp_path / "happy.wav").read_bytes().startswith(b"RIFF")


def test_one_job_from_the_command_line_as_printed(stack: Stack, tmp_path: Path) -> None:
    *spoken, looked_up = [command for command in _commands("One job") if ".venv/bin/ringtrue" in command]
    (newest,) = [command for command in _commands("One job") if command.startswith("JOB=")]
    script = "\n".join(["set -eu -o pipefail", *spoken, newest, looked_up])
    script = script.replace(".venv/bin/ringtrue", str(README.parent / ".venv/bin/ringtrue"))
    script = script.replace("http://127.0.0.1:8000", stack.url)
    environment = {"RINGTRUE_URL": stack.url, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, timeout=240, check=True)
    assert (tmp_path / "sunny.wav").read_bytes().startswith(b"RIFF")


def test_one_job_from_python_as_printed(stack: Stack, tmp_path: Path) -> None:
    section = README.read_text().split("\n## One job\n", 1)[1]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    (tmp_path / "one_job.py").write_text(code.replace("http://127.0.0.1:8000", stack.url))
    run = [README.parent / ".venv/bin/python", "one_job.py"]
    printed = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
    mos, duration_s = map(float, printed.stdout.split())
    assert 1 <= mos <= 5
    assert duration_s > 1
    assert (tmp_path / "sad.wav").read_bytes().startswith(b"RIFF")


def test_the_page_of_the_client_as_printed(stack: Stack, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (README.parent / "docs/client.md").read_text(), re.DOTALL)
    (tmp_path / "client.py").write_text(code)
    subprocess.run(
        [README.parent / ".venv/bin/python", "client.py"],
        cwd=tmp_path, env={"RINGTRUE_URL": stack.url, "PATH": "/usr/bin:/bin"}, timeout=240, check=True,
    )  # fmt: skip
    assert len(list(tmp_path.glob("*.wav"))) == 4

"""No command imports what happens to lie in the folder that it is called in; nor do the processes that it starts."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.foreign_folder import plant, planted_names

RINGTRUE = Path(sys.executable).with_name("ringtrue")
pytestmark = pytest.mark.timeout(240)

COMMANDS = (
    "--help",
    "keys create ann",
    "suites list",
    "engines",
    "engines install espeak",
    "doctor",
    "certify espeak-v2 --repeats 1 --at-once 1",
    "certify espeak-v2 --against http://127.0.0.1:9",
    "models list",
    "models lock",
    "models pull",
    "models verify",
    "models aliases",
    "pins",
    "say hello --pin espeak-v2",
    "gate a b --suite golden --rules nowhere.toml",
    "down",
)
FOLDERS = ("services", "shared", "client", "demo", "docker", "benchmarks")
ROOT = Path(__file__).parents[2]
OF_THIS_REPOSITORY = ("benchmarks", "demo", "uvicorn", "celery")
"""Modules that are started in the repository's folder, which they are found by."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foreign")


@pytest.mark.parametrize("path", [None, "", ":", ".", f"{os.pathsep}/nowhere"])
def test_the_way_to_modules_is_safe_below_up(path: str | None) -> None:
    from shared.processes.interpreter import safe_environment

    safe = safe_environment({} if path is None else {"PYTHONPATH": path})
    assert safe["PYTHONSAFEPATH"] == "1"
    assert all(os.path.isabs(entry) for entry in filter(None, safe.get("PYTHONPATH", "").split(os.pathsep)))
    found = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.path)"],
        env=safe,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"", ".", "/"} & set(eval(found.stdout))


def test_no_command_line_of_ours_lets_python_look_for_modules_where_it_is_started() -> None:
    """Each that is written out begins with this Python and says -P or -I; the rest come from `run_module`."""
    careless = []
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.List | ast.Tuple) and node.elts and _is_a_python(node.elts[0]):
                    said = [one.value for one in node.elts if isinstance(one, ast.Constant)]
                    if not {"-P", "-I"} & {*said[:1]} and not (said[:1] == ["-m"] and _of_here(node.elts[2])):
                        careless.append(f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert careless == []


def _is_a_python(word: ast.expr) -> bool:
    return ast.unparse(word) in ("sys.executable", "str(python)")


def _of_here(module: ast.expr) -> bool:
    return ast.unparse(module).lstrip("f'\"").startswith(OF_THIS_REPOSITORY)


def test_much_is_planted() -> None:
    assert {"redis", "celery", "uvicorn", "mlflow", "json", "socket", "services", "shared"} <= set(planted_names())


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_imports_what_lies_there(folder: Path, tmp_path: Path, command: str) -> None:
    book = plant(folder)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "PYTHON"))}
    environ |= {"RINGTRUE_DATA": str(tmp_path), "RINGTRUE_URL": "http://127.0.0.1:9"}
    ran = subprocess.run(
        [RINGTRUE, *command.split()], env=environ, cwd=folder, capture_output=True, timeout=200, check=False, text=True
    )
    assert (book.read_text(), "Traceback" in ran.stderr, "planted" in ran.stderr + ran.stdout) == ("", False, False)

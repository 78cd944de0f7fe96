"""What a host is told: an allow-list of names, held against names of every kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sandbox.environment import ALLOWED, for_host, for_installer, is_allowed

HOME = Path("/a/room")
SECRETS = """
HF_TOKEN HUGGING_FACE_HUB_TOKEN MODELSCOPE_API_TOKEN MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN
RINGTRUE_DATABASE_URL RINGTRUE_REDIS_URL RINGTRUE_API_KEY RINGTRUE_WEBHOOK_SECRET AWS_SECRET_ACCESS_KEY
AWS_SESSION_TOKEN PGPASSWORD PGPASSFILE POSTGRES_PASSWORD REDIS_PASSWORD GITHUB_TOKEN HTTPS_PROXY http_proxy
SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR GOOGLE_APPLICATION_CREDENTIALS KUBECONFIG DOCKER_HOST
NETRC HISTFILE PIP_INDEX_URL UV_INDEX_URL PYTHONSTARTUP PYTHONHOME LC_password LC_SECRET_1 OMP_TOKEN
"""
PARTS = ("RINGTRUE", "HF", "AWS", "MLFLOW", "CUDA", "OMP", "LC", "PYTHON", "LD", "TORCH", "DB", "MY")
ENDS = ("TOKEN", "PASSWORD", "SECRET", "KEY", "URL", "CREDENTIALS", "DSN", "AUTH", "COOKIE", "PAT")
names: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(SECRETS.split()),
    st.text(st.characters(codec="utf-8", exclude_characters="=\0"), min_size=1),
    st.builds("_".join, st.tuples(st.sampled_from(PARTS), st.sampled_from(ENDS))),
)
LISTED = {*" ".join(ALLOWED.values()).split()}
SET = {"HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"}


@given(st.dictionaries(names, st.just("the value"), min_size=1))
def test_no_name_passes_but_those_on_the_list(environ: dict[str, str]) -> None:
    told = for_host(environ, HOME)
    passed = {name for name in told if told[name] == "the value"}
    assert passed <= LISTED


@given(st.sampled_from(PARTS), st.sampled_from(ENDS))
def test_no_name_of_a_secret_is_on_the_list(part: str, end: str) -> None:
    assert not is_allowed(f"{part}_{end}")


@pytest.mark.parametrize("name", SECRETS.split())
def test_a_known_secret_is_not_told(name: str) -> None:
    assert not is_allowed(name)


@pytest.mark.parametrize("name", sorted(LISTED - {"PYTHONPATH"}))
def test_what_is_on_the_list_is_told(name: str) -> None:
    assert for_host({name: "a value"}, HOME)[name] == "a value"


@given(st.dictionaries(names, st.just("the value")))
def test_who_installs_packages_is_told_no_secret_of_a_service(environ: dict[str, str]) -> None:
    theirs = ("RINGTRUE_", "MLFLOW_", "HF_", "AWS_", "PG", "POSTGRES_", "REDIS_", "MODELSCOPE_", "GITHUB_")
    assert not [name for name in for_installer(environ) if name.startswith(theirs)]


@given(st.dictionaries(st.sampled_from(sorted(SET)), st.text()))
def test_home_and_temporary_folder_are_the_hosts_own(environ: dict[str, str]) -> None:
    assert {for_host(environ, HOME)[name] for name in SET} == {str(HOME)}


@pytest.mark.parametrize(
    ("given", "told"),
    [("", ""), (":/x", "/x"), ("/x::", "/x"), ("here:/x", f"{Path.cwd()}/here:/x"), (".", str(Path.cwd()))],
)
def test_the_current_folder_is_on_no_path_by_its_absence(given: str, told: str) -> None:
    assert for_host({"PYTHONPATH": given.replace(":", os.pathsep)}, HOME)["PYTHONPATH"] == told

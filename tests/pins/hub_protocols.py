"""What the hub on loopback answers to questions, in the words of Hugging Face and of ModelScope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pins.hub import HubFile, Repo


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_api(repos: Mapping[str, Repo], path: str, query: Mapping[str, str]) -> Answer:
    """The answer to anything but a file."""
    parts = path.strip("/").split("/")
    if parts[:3] == ["api", "v1", "models"]:
        return _modelscope(repos.get("/".join(parts[3:5])), parts[5:], query)
    if parts[:2] == ["api", "models"]:
        return _huggingface(repos.get("/".join(parts[2:4])), parts[4:])
    return Answer(404, {"error": f"nobody answers {path}"})


def _huggingface(repo: Repo | None, rest: list[str]) -> Answer:
    if repo is None:
        return Answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
    what, revision = (rest[0], "/".join(rest[1:])) if rest else ("revision", "main")
    commit = repo.resolve(revision)
    if commit is None:
        return Answer(404, {"error": f"Invalid rev id: {revision}"}, {"X-Error-Code": "RevisionNotFound"})
    tree = repo.commits[commit]
    if what == "tree":
        return Answer(200, [_tree_item(path, file) for path, file in sorted(tree.items())])
    siblings = [_sibling(path, file) for path, file in sorted(tree.items())]
    return Answer(200, {"id": repo.name, "modelId": repo.name, "sha": commit, "private": False, "siblings": siblings})


def _sibling(path: str, file: HubFile) -> dict[str, Any]:
    lfs = {"lfs": {"sha256": file.sha256, "size": file.size, "pointerSize": 130}} if file.is_lfs else {}
    return {"rfilename": path, "size": file.size, "blobId": file.oid, **lfs}


def _tree_item(path: str, file: HubFile) -> dict[str, Any]:
    lfs = {"lfs": {"oid": file.sha256, "size": file.size, "pointerSize": 130}} if file.is_lfs else {}
    return {"type": "file", "path": path, "size": file.size, "oid": file.oid, **lfs}


def _modelscope(repo: Repo | None, rest: list[str], query: Mapping[str, str]) -> Answer:
    """Everything comes in an envelope; what it does not have is a 404 with a code of its own."""
    if repo is None:
        return Answer(404, {"Code": 10010205001, "Success": False, "Message": "model does not exist", "Data": None})
    if rest == ["revisions"]:
        branches = [{"Revision": name, "CreatedAt": 1700000000} for name in repo.refs]
        return _enveloped({"RevisionMap": {"Branches": branches, "Tags": []}})
    if rest not in (["commits"], ["repo", "files"]):
        return _enveloped({"Name": repo.name.split("/")[1], "Path": repo.name.split("/")[0]})
    commit = repo.resolve(query.get("Ref") or query.get("Revision") or "master")
    if commit is None:
        return Answer(404, {"Code": 10010205003, "Success": False, "Message": "no such revision", "Data": None})
    if rest == ["commits"]:
        return _enveloped({"Commit": [{"Id": commit, "ShortId": commit[:8]}], "TotalCount": 1})
    files = [_file(path, file, commit) for path, file in sorted(repo.commits[commit].items())]
    folders = {path.rpartition("/")[0] for path in repo.commits[commit]} - {""}
    entries = [{"Path": folder, "Name": folder, "Type": "tree", "Size": 0} for folder in sorted(folders)]
    return _enveloped({"Files": [*entries, *files], "LatestCommitter": {"Id": "", "ShortId": commit[:8]}})


def _file(path: str, file: HubFile, commit: str) -> dict[str, Any]:
    return {
        "Path": path,
        "Name": path.rpartition("/")[2],
        "Type": "blob",
        "Size": file.size,
        "Sha256": file.sha256,
        "IsLFS": file.is_lfs,
        "Revision": commit,
        "CommittedDate": 1700000000,
    }


def _enveloped(data: Any) -> Answer:
    return Answer(200, {"Code": 200, "Success": True, "Message": "success", "Data": data})

"""Stands for ``docker`` and ``docker-compose``: notes in a folder what it is asked, and how its services are.

    python fake_docker.py FOLDER docker-compose|docker ARGUMENT …

``FOLDER/running``: services that run, one per line; ``FOLDER/lost``: one that ends as soon as it is started.
"""

from __future__ import annotations

import sys
from pathlib import Path

SERVICES = ("gateway", "postgres", "redis")


def answer(folder: Path, arguments: list[str]) -> int:
    state = folder / "running"
    running = state.read_text().split()
    lost = (folder / "lost").read_text().strip() if (folder / "lost").exists() else None
    while arguments[:1] == ["--file"]:
        arguments = arguments[2:]
    match arguments:
        case ["compose", *_]:
            return 1  # no plugin: `docker compose` is no command
        case ["ps", "--services", *_]:
            print("\n".join(running))
        case ["ps", "--all", "--quiet"]:
            print("\n".join(SERVICES))
        case ["inspect", "--format", _, *services]:
            for service in services:
                print(f"{service} {'exited 3 none' if service == lost else 'running 0 healthy'}")
        case ["port", _, port]:
            print(f"0.0.0.0:4{port}")
        case ["up", "--detach", "--no-deps", service]:
            state.write_text("\n".join({*running, service}))
        case ["up", *_]:
            state.write_text("\n".join(service for service in SERVICES if service != lost))
        case ["down"]:
            state.write_text("")
        case ["stop", *services]:
            state.write_text("\n".join(service for service in running if service not in services))
    return 0


def main(folder: Path, name: str, *arguments: str) -> int:
    with (folder / "asked").open("a") as asked:
        asked.write(" ".join([name, *arguments]) + "\n")
    return answer(folder, list(arguments))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))

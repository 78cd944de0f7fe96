"""What another user of the machine tries on every part of a stack that he is told of; prints what he got.

Standard library only: it runs in whatever Python that user can start.
"""

import http.client
import json
import os
import signal
import socket
import sys

ASKED = (
    ("GET", "/"),
    ("GET", "/v1/jobs"),
    ("POST", "/v1/jobs"),
    ("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0"),
    ("POST", "/api/2.0/mlflow/experiments/create"),
)
TO_REDIS = (b"PING\r\n", b"*1\r\n$4\r\nINFO\r\n", b"CONFIG SET dir /tmp\r\n")
GOT = []


def trying(attempt, *what):
    """An attempt gives what was got; what is refused is raised or nothing."""
    try:
        found = attempt(*what)
    except (OSError, http.client.HTTPException):
        return
    if found:
        GOT.append([attempt.__name__, *map(str, what), repr(found)[:200]])


def ask(port, method, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, b"{}" if method == "POST" else None, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status not in (403, 404) and (answer.status, answer.read())


def say(port, words):
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(words)
        connection.settimeout(5)
        answer = connection.recv(4096)
    return answer if b" 403 " not in answer and b" 400 " not in answer else None


def connect(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
    return "connected"


def read(path):
    with open(path, "rb") as opened:
        return opened.read(64) or "opened"


def write(path):
    with open(path, "ab"):
        return "opened"


def look_into(folder):
    return os.listdir(folder) or "opened"


def signal_to(pid):
    os.kill(pid, signal.SIGCONT)
    return "sent"


told = json.loads(sys.argv[1])
for port in told["ports"]:
    for method, path in ASKED:
        trying(ask, port, method, path)
    for words in TO_REDIS:
        trying(say, port, words)
for path in told["sockets"]:
    trying(connect, path)
for path in told["files"]:
    trying(read, path)
    trying(write, path)
for path in told["folders"]:
    trying(look_into, path)
    trying(write, path + "/mine")
for pid in told["pids"]:
    for secret in ("environ", "mem", "maps"):
        trying(read, f"/proc/{pid}/{secret}")
    trying(look_into, f"/proc/{pid}/fd")
    trying(signal_to, pid)
print(json.dumps(GOT))

"""Requests to an MLflow server: login, certificates, dead connections, answers of something else, MLflow's limits."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mlflow.utils import validation

from services.scorer.tracking import mlflow_tracker
from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.runs import CURRENT_LIMITS, TrackerMissing, TrackerRefused, TrackerUnavailable
from shared.errors import SettingsError


class Answering(BaseHTTPRequestHandler):
    """Answers 200 and says who asked."""

    protocol_version = "HTTP/1.1"
    status = 200
    body: bytes | None = None

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        who = self.headers.get("Authorization", "")
        body = f'{{"who": "{who}"}}'.encode() if self.body is None else self.body
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def answering(*, status: int = 200, body: bytes | None = None, cert: Path | None = None) -> Iterator[str]:
    handler = type("One", (Answering,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if cert is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'http' if cert is None else 'https'}://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key, and the certificate for 127.0.0.1 that it signed itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mlflow.example")])
    today = datetime.datetime.now(datetime.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "server.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


ANN = f"Basic {b64encode(b'ann:s3cr:t').decode()}"


@pytest.mark.parametrize(
    ("in_url", "login", "sent"),
    [
        ("", {}, ""),
        ("", {"username": "ann", "password": "s3cr:t"}, ANN),
        ("ann:s3cr%3At@", {}, ANN),
        ("", {"token": "t0ken"}, "Bearer t0ken"),
        ("", {"token": "t0ken", "username": "ann", "password": "s3cr:t"}, ANN),
        ("", {"token": "t0ken", "username": "ann"}, "Bearer t0ken"),
    ],
)
def test_the_login_is_sent_as_mlflow_sends_it(in_url: str, login: dict[str, str], sent: str) -> None:
    with answering() as url:
        http = MlflowHttp(url.replace("//", f"//{in_url}"), **login)
        assert http.json("POST", "/x", json={}) == {"who": sent}
        assert http.url == url


def test_a_server_with_a_certificate_of_the_house_is_known_by_the_file_that_names_it(certificate: Path) -> None:
    with answering(cert=certificate) as url:
        assert MlflowHttp(url, ca_file=str(certificate)).json("POST", "/x", json={}) == {"who": ""}
        with pytest.raises(TrackerUnavailable, match="certificate"):
            MlflowHttp(url).json("POST", "/x", json={})


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_certificates_that_cannot_be_read_are_a_wrong_setting(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"ca\.pem"):
        MlflowHttp("https://mlflow.example", ca_file=str(path))


@pytest.mark.parametrize(
    "url", ["https://mlflow.example:99999", "http://mlflow.example:port", "http://[::1", "http://"]
)
def test_an_address_that_cannot_be_one_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI"):
        MlflowHttp(url)


def test_a_kept_connection_that_the_server_has_closed_is_replaced() -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):  # one answer for each connection, which then ends without a word
                connection, _ = server.accept()
                with connection:
                    asked.append(connection.recv(65536).split(b"\r\n")[0])
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        threading.Thread(target=serve, daemon=True).start()
        http = MlflowHttp(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert [http.json("POST", path, json={}) for path in ("/1", "/2")] == [{}, {}]
    assert asked == [b"POST /1 HTTP/1.1", b"POST /2 HTTP/1.1"]


def test_a_request_that_must_not_be_sent_twice_is_not() -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                connection, _ = server.accept()
                with connection:
                    asked.append(connection.recv(65536).split(b"\r\n")[0])

        threading.Thread(target=serve, daemon=True).start()
        http = MlflowHttp(f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(TrackerUnavailable):
            http.json("POST", "/create", again=False, json={})
    assert asked == [b"POST /create HTTP/1.1"]


def test_a_server_that_says_nothing_is_left_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        http = MlflowHttp(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.05)
        with pytest.raises(TrackerUnavailable, match="time"):
            http.text("POST", "/x")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>a portal", TrackerRefused),
        (302, b"", TrackerRefused),
        (400, b"no", TrackerRefused),
        (404, b"nothing here", TrackerRefused),
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}', TrackerMissing),
        (408, b"", TrackerUnavailable),
        (429, b"", TrackerUnavailable),
        (500, b"", TrackerUnavailable),
        (599, b"", TrackerUnavailable),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, error: type[Exception]) -> None:
    with answering(status=status, body=body) as url, pytest.raises(error) as raised:
        MlflowHttp(url).json("POST", "/x", json={})
    assert type(raised.value) is error


def test_the_limits_are_those_of_the_mlflow_that_is_installed() -> None:
    assert (
        CURRENT_LIMITS.param,
        CURRENT_LIMITS.tag,
        mlflow_tracker.MAX_EXPERIMENT_TAG_CHARS,
        mlflow_tracker.MAX_PARAMS_PER_BATCH,
    ) == (
        validation.MAX_PARAM_VAL_LENGTH,
        validation.MAX_TAG_VAL_LENGTH,
        validation.MAX_EXPERIMENT_TAG_VAL_LENGTH,
        validation.MAX_PARAMS_TAGS_PER_BATCH,
    )

"""TLS on the client's way to a server: whose certificates are believed, and how what is not believed is named."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mcport import Client, ConnectFailed

from .origin import origin

pytestmark = pytest.mark.anyio

RECORD = 16 * 1024
"""The most that one record of TLS carries."""


def certificate(path: Path, *, ip: str = "127.0.0.1", days: int = 1) -> Path:
    """Write a key and a certificate that vouches for itself, for one address and so many days (or long ago)."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(ip))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def serving(path: Path) -> ssl.SSLContext:
    """Return what a server needs to show this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that the environment names as one to be believed."""
    path = certificate(tmp_path / "known.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.mark.parametrize("kind", ["plain", "auth"])
async def test_a_certificate_that_the_environment_names_is_believed_and_connections_are_kept(
    known: Path, kind: str
) -> None:
    auth = httpx.BasicAuth("me", "word") if kind == "auth" else None
    async with origin(tls=serving(known)) as server, Client(server.url, auth=auth) as client:
        for _ in range(3):
            assert (await client.call_tool("forecast")).text() == "done"
    assert server.connections == 1


async def test_a_client_of_httpx_believes_what_it_was_told_to(tmp_path: Path) -> None:
    path = certificate(tmp_path / "own.pem")
    async with (
        httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(path))) as mine,
        origin(tls=serving(path)) as server,
        Client(server.url, http_client=mine) as client,
    ):
        assert (await client.call_tool("forecast")).text() == "done"


async def test_what_comes_behind_an_answer_in_a_record_of_its_own_is_not_taken_for_the_next_one(known: Path) -> None:
    async with origin(lambda asked: asked.twice(RECORD), tls=serving(known)) as server, Client(server.url) as client:
        for _ in range(3):
            assert (await client.call_tool("forecast")).text() == "mine"
    assert server.connections == 3


async def test_a_certificate_of_nobody_is_refused_in_one_line(tmp_path: Path) -> None:
    path = certificate(tmp_path / "unknown.pem")
    async with origin(tls=serving(path)) as server:
        with pytest.raises(ConnectFailed) as caught:
            await Client(server.url).connect()
    reason = "its certificate cannot be trusted: self-signed certificate"
    assert str(caught.value) == f"Cannot reach {server.url}: {reason}"
    assert server.asked == []


@pytest.mark.parametrize(
    ("ip", "days", "reason"),
    [
        ("127.0.0.2", 1, "IP address mismatch, certificate is not valid for '127.0.0.1'."),
        ("127.0.0.1", -5, "certificate has expired"),
    ],
)
async def test_a_certificate_for_another_host_or_time_is_refused_in_one_line(
    known: Path, ip: str, days: int, reason: str
) -> None:
    certificate(known, ip=ip, days=days)
    async with origin(tls=serving(known)) as server:
        with pytest.raises(ConnectFailed) as caught:
            await Client(server.url).connect()
    assert str(caught.value) == f"Cannot reach {server.url}: its certificate cannot be trusted: {reason}"
    assert server.asked == []


@pytest.mark.parametrize("content", [None, "no certificate"])
@pytest.mark.parametrize("proxied", [False, True])
async def test_certificates_that_cannot_be_read_are_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, proxied: bool
) -> None:
    path = tmp_path / "broken.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    if proxied:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with pytest.raises(ConnectFailed) as caught:
        await Client("https://127.0.0.1:1/mcp").connect()
    expected = "Cannot reach https://127.0.0.1:1/mcp: the certificates that SSL_CERT_FILE names cannot be read: "
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)


async def test_tls_with_a_server_that_speaks_none_fails_in_one_line() -> None:
    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    url = f"https://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/mcp"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        with pytest.raises(ConnectFailed) as caught:
            await Client(url, connect_timeout=5).connect()
        tasks.cancel_scope.cancel()
    assert str(caught.value) == f"Cannot reach {url}: TLS failed: WRONG_VERSION_NUMBER"


async def test_a_server_of_tls_that_is_spoken_to_without_is_told_in_one_line(known: Path) -> None:
    async with origin(tls=serving(known)) as server:
        with pytest.raises(ConnectFailed) as caught:
            await Client(server.url.replace("https", "http")).connect()
    assert str(caught.value).startswith("Cannot reach http://127.0.0.1:")
    assert "\n" not in str(caught.value)

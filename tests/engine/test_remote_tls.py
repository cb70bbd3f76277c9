"""TLS to a server: an authority that was named is trusted, and a server without TLS is told apart."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from studio.core.errors import StudioError
from studio.engine.remote.engine import RemoteEngine
from studio.engine.remote.http import Patience
from studio.engine.remote.model import RemoteModel
from studio.services import shield
from tests.engine.remote_stand_in import StandIn, serving
from tests.engine.test_remote import REQUEST, engine
from tests.hub.hub_stand_in import _bind


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is needed")
def test_a_certificate_is_trusted_when_its_authority_is_named(tmp_path: Path) -> None:
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "ca.pem"]
    subprocess.run([*making.split(), *named], check=True, capture_output=True, cwd=tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes((tmp_path / "key.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes())
    with serving(StandIn(), both) as server:
        with pytest.raises(StudioError) as caught:
            engine(server)
        assert caught.value.code == "remote_tls"
        assert engine(server, ca=tmp_path / "ca.pem").generate(REQUEST).stop == "return"
        with pytest.raises(StudioError, match="cannot be read"):
            engine(server, ca=tmp_path / "key.pem")


def test_tls_of_a_server_without_it_is_told() -> None:
    with serving(StandIn()) as server:
        server.url = server.url.replace("http:", "https:")
        with pytest.raises(StudioError) as caught:
            engine(server)
    assert caught.value.code == "remote_tls"


def test_a_server_that_waits_where_tls_would_answer_is_told_apart_from_one_that_is_not_there() -> None:
    with socket.socket() as silent:
        _bind(silent)
        silent.listen()
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        remote = RemoteModel("remote-1", "Test", (url,))
        with pytest.raises(StudioError, match="does not answer as TLS does") as caught:
            RemoteEngine(remote, shield.allow, patience=Patience(connect_s=0.3, silence_s=1.0))
    assert caught.value.code == "remote_tls"

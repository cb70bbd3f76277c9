"""Which servers a download reaches: those that were agreed to, through proxies and certificates of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studio.core.errors import InputError, NotFoundError
from studio.hub import servers
from studio.services import shield
from studio.services.download import download, plan
from studio.services.shelf import DownloadError, Shelf
from tests.hub.conftest import HURRIED, after, get, known, model_bytes
from tests.hub.hub_stand_in import HubStandIn, running


def test_no_token_no_telemetry_and_no_other_server_unless_asked(shelf: Shelf, hub: HubStandIn) -> None:
    os.environ["HF_TOKEN"] = "secret-of-the-environment"
    try:
        get(shelf, hub)
    finally:
        del os.environ["HF_TOKEN"]
    assert not [a for a in hub.asked if "authorization" in a.headers]
    assert {a.path.split("/")[1] for a in hub.asked} <= {"api", "team"}
    shelf.remove("small")
    get(shelf, hub, token="given")
    assert hub.asked[-1].headers["authorization"] == "Bearer given"


def test_a_redirect_elsewhere_is_refused_and_named_and_a_named_storage_is_followed(
    shelf: Shelf, hub: HubStandIn
) -> None:
    with running(HubStandIn(dict(hub.files))) as storage:
        hub.redirect_to = f"{storage.url}/team/model-GGUF/resolve/{storage.commit}/m.gguf"
        after(hub, "redirect_elsewhere")
        with pytest.raises(DownloadError, match=storage.url.removeprefix("http://")):
            get(shelf, hub)
        assert storage.asked == []
        after(hub, "redirect_elsewhere")
        get(shelf, hub, storage=[storage.url], token="secret")
        assert [a.path for a in storage.asked] == [hub.redirect_to.removeprefix(storage.url)]
        assert "authorization" not in storage.asked[0].headers


def test_a_mirror_that_nobody_answers_at_is_told(shelf: Shelf, hub: HubStandIn) -> None:
    with pytest.raises(DownloadError, match="broke"):
        download(shelf, "small", endpoint="http://127.0.0.1:9", patience=HURRIED)
    with pytest.raises(InputError, match="no address"):
        plan(shelf, "small", endpoint="not an address")
    with pytest.raises(NotFoundError):
        download(shelf, "nonsense", endpoint=hub.url)


def test_certificates_that_cannot_be_read_are_told(
    shelf: Shelf, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "company.pem"))
    with pytest.raises(DownloadError, match=r"REQUESTS_CA_BUNDLE names cannot be read: .*company\.pem"):
        get(shelf, hub)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is needed")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_certificate_of_ones_own_is_honoured_and_an_unknown_one_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    both = tmp_path / "both.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    alone: list[str | Path] = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        tmp_path / "key.pem",
        "-out",
        tmp_path / "ca.pem",
    ]
    subprocess.run([*making.split(), *alone], check=True, capture_output=True)
    both.write_bytes((tmp_path / "key.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes())
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with running(HubStandIn({"m.gguf": model_bytes()}), certificate=both) as hub:
        shelf = Shelf(folder=tmp_path, known=known("m.gguf", hub=hub))
        with pytest.raises(DownloadError, match="certificate is not trusted") as caught:
            get(shelf, hub)
        assert "SSL_CERT_FILE" in caught.value.hint
        monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
        assert get(shelf, hub).read_bytes() == hub.files["m.gguf"]


def test_a_proxy_is_used_and_named_in_the_plan(shelf: Shelf, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", hub.url)
    monkeypatch.setenv("no_proxy", "")
    place = "http://hub.invalid:8080"
    shown = plan(shelf, "small", endpoint=place)
    assert shown.servers == (hub.url.removeprefix("http://"), "hub.invalid:8080")
    with pytest.raises(DownloadError, match="404"):  # the stand-in is no proxy, but it was asked as one
        download(shelf, "small", endpoint=place, patience=HURRIED)
    assert hub.asked[0].path.startswith(f"{place}/api/models/")


def test_the_plan_says_who_is_asked_and_how_much(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    shown = plan(shelf, "small")
    assert shown.servers == ("*.hf.co:443", "huggingface.co:443")
    assert shown.to_fetch == shelf.get("small").size
    assert shown.enough
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert plan(shelf, "small").source == "https://mirror.example/team/model-GGUF"
    assert plan(shelf, "small").servers == ("mirror.example:443",)
    assert not servers.endpoint().permits("huggingface.co", 443)


def test_the_shield_is_open_for_exactly_that_while_it_lasts(hub: HubStandIn, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from studio.services import shield
shield.install()
from studio.services.download import Patience, download
from studio.services.shelf import DownloadError, Shelf
from tests.hub.conftest import HURRIED, known
from tests.hub.hub_stand_in import HubStandIn
files = {{"m.gguf": Path(sys.argv[1]).read_bytes()}}
shelf = Shelf(folder=Path(sys.argv[2]), known=known("m.gguf", hub=HubStandIn(files)))
assert not [name for name in sys.modules if name.startswith(("huggingface_hub", "httpx2"))]
seen = set()
entry = download(shelf, "small", endpoint={hub.url!r}, patience=HURRIED,
                 on_progress=lambda p: seen.add(tuple(a.reason for a in shield.allowances())))
print(entry.state, seen, shield.opened() > 0, shield.refused(), shield.allowances())
"""
    source = tmp_path / "source.gguf"
    source.write_bytes(hub.files["m.gguf"])
    done = subprocess.run(
        [sys.executable, "-c", code, source, tmp_path], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stdout.strip() == "ready {('Download of Small model',)} True 0 ()", done.stderr
    assert shield.allowances() == ()

"""From bundle to first verdict on a machine without a network: for real, in a network that has no interfaces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from studio import paths
from studio.services import bundle
from studio.services.studio import Studio

_ALONE = ["unshare", "--user", "--map-root-user", "--net", "--"]


def alone() -> bool:
    """Whether this system lets us make a network without interfaces."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(not alone(), reason="this system makes no network namespace for us")
def test_from_a_bundle_to_a_verdict_without_a_network_in_one_command(tmp_path: Path, demo_gguf: Path) -> None:
    model = tmp_path / "own model.gguf"
    shutil.copyfile(demo_gguf, model)
    with Studio.open(tmp_path / "w.studio") as studio:
        [entry] = studio.shelf.import_path(model)
        starter = studio.policies.get("demo-lending").policy
        own = replace(starter, id="ours", title="Ours")
        made = bundle.create(studio, tmp_path / "bundle", models=[entry.id], policies=[starter, own])
    assert bundle.verify(made.path).problems == ()
    base = Path(sys.base_prefix) / "bin"
    there = {
        "PATH": f"{base}:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        paths.HOME_VARIABLE: str(tmp_path / "elsewhere"),
        "LANG": "C.UTF-8",
    }
    if "LD_LIBRARY_PATH" in os.environ:
        there["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]

    def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([*_ALONE, *command], env=there, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    installed = ran(made.path / "install.sh", "--to", tmp_path / "program")

    assert "A judgement was made" in installed.stdout
    command = tmp_path / "program" / "program" / "bin" / "moderation-studio"
    assert ran(command.with_name("python"), "-m", "pip", "--version").stdout.startswith("pip ")
    listed = json.loads(ran(command, "models", "list", "--json").stdout)
    [used] = [row for row in listed if row.get("in_use")]
    assert Path(used["path"]) == tmp_path / "program" / "models" / "1" / "own model.gguf"
    policies = {row["id"] for row in json.loads(ran(command, "policies", "list", "--json").stdout)}
    assert {"demo-lending", "ours"} <= policies
    assert "demo-lending-2" not in policies, "a starter is not there twice"
    verdict = subprocess.run(
        [*_ALONE, command, "classify", "--policy", "demo-animals", "--json", "I want to sell my old dog."],
        env=there, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verdict.returncode == 10, verdict.stdout + verdict.stderr
    assert json.loads(verdict.stdout)["labels"] == ["D1"]
    done = ran(command, "doctor", "--json")
    assert json.loads(done.stdout)["connections"] == 0

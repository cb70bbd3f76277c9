"""``models fit`` on this machine, with the real engine asked what there is."""

from __future__ import annotations

from studio.services.fit import Fits
from tests.cli.conftest import Cli


def test_every_model_gets_its_fit_and_its_plan(cli: Cli) -> None:
    found = cli("models", "fit", "--json").json
    models = {entry["id"]: entry for entry in found["models"]}
    assert found["machine"]["memory_total"] > 0
    assert found["measured_at"] is None
    assert models["demo"]["fits"] == Fits.WHOLE
    assert models["demo"]["needed"] == sum(part["size"] for part in models["demo"]["parts"]) > 0
    assert models["demo"]["time"] is None
    assert set(models) > {"safeguard-20b-mxfp4", "safeguard-120b-mxfp4"}
    assert all(entry["badge"] and (entry["plan"] or entry["why"]) for entry in models.values())
    shown = cli("models", "fit")
    assert "Fits" in shown.out
    assert "--measure" in shown.err

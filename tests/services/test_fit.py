"""Whether a model fits, against machines of all sizes, against what the real engine takes, and how long an item is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from studio.core.content import Content
from studio.core.policy import Effort, Policy
from studio.core.run import GREEDY, Provenance, Run, RunState, Timing
from studio.core.speed import Sample, Speed, Work
from studio.engine.client import EngineClient
from studio.engine.scripted import Script
from studio.engine.types import Device, EngineSettings, Survey
from studio.hub.catalogue import load
from studio.hub.outline import Outline, read_outline
from studio.services import fit as fit_service
from studio.services.fit import Advice, Fits, advise
from studio.services.fit_words import badge
from studio.services.machine import Machine, MachineService, features_in
from studio.services.measure import CPU, Measurement, Measurements
from studio.services.studio import Studio

GB = 10**9


def outline(model_id: str) -> Outline:
    [model] = [model for model in load().models if model.id == model_id]
    found = model.outline()
    assert found is not None
    return found


def machine(memory: float, *, free: float | None = None, card: float = 0) -> Machine:
    gpus = (Device("CUDA0", "A card", int(card * 0.92 * GB), int(card * GB), gpu=True),) if card else ()
    return Machine(
        system="Some system",
        processor="Some processor",
        physical=8,
        logical=16,
        memory_total=int(memory * GB),
        memory_free=int((memory - 3 if free is None else free) * GB),
        features=("AVX2",),
        gpus=gpus,
        disk_free=100 * GB,
        power="mains power",
        n_threads=7,
        llama_build="a build",
    )


def fits(model_id: str, there: Machine, measured: Measurement | None = None) -> Advice:
    return advise(outline(model_id), there, EngineSettings(), measured=measured)


@pytest.mark.parametrize(
    ("model_id", "memory", "card", "wanted", "words"),
    [
        ("safeguard-20b-mxfp4", 32, 0, Fits.WHOLE, "Fits"),
        ("safeguard-20b-mxfp4", 32, 24, Fits.WHOLE, "Fits"),
        ("safeguard-20b-mxfp4", 32, 8, Fits.CPU_EXPERTS, "expert layers on the CPU"),
        ("safeguard-20b-mxfp4", 8, 0, Fits.TOO_BIG, "more memory"),
        ("safeguard-120b-mxfp4", 96, 16, Fits.CPU_EXPERTS, "expert layers on the CPU"),
        ("safeguard-120b-mxfp4", 96, 80, Fits.WHOLE, "Fits"),
        ("safeguard-120b-mxfp4", 32, 0, Fits.TOO_BIG, "more memory"),
    ],
)
def test_machines_from_small_to_large(model_id: str, memory: float, card: float, wanted: Fits, words: str) -> None:
    found = fits(model_id, machine(memory, card=card))
    assert found.fits is wanted
    assert words in badge(found)
    assert found.possible == (wanted is not Fits.TOO_BIG)
    assert (found.missing > 0) == (wanted is Fits.TOO_BIG)


def test_experts_on_the_cpu_are_as_many_as_the_field_needs() -> None:
    assert abs(fits("safeguard-20b-mxfp4", machine(32, card=8)).cpu_experts - 14) <= 2  # FACTS 4, ENGINE: 12 to 16
    assert abs(fits("safeguard-120b-mxfp4", machine(96, card=16)).cpu_experts - 30) <= 3  # ENGINE: 30


def test_memory_that_others_hold_is_told_apart_from_memory_that_is_not_there() -> None:
    held = fits("safeguard-20b-mxfp4", machine(32, free=9))
    assert held.fits is Fits.NOT_NOW
    assert "more free memory" in badge(held)
    assert held.missing == pytest.approx(fits("safeguard-20b-mxfp4", machine(32, free=8)).missing - GB, abs=GB // 10)
    assert "9.0 GB are free" in held.why


def test_parts_add_up_and_lie_where_the_plan_says() -> None:
    found = fits("safeguard-20b-mxfp4", machine(32, card=8))
    weights = [part for part in found.parts if part.name == "weights"]
    assert sum(part.size for part in weights) == pytest.approx(outline("safeguard-20b-mxfp4").size, rel=1e-6)
    on_card = sum(part.size for part in found.parts if part.where == "A card")
    assert 0.7 * 8 * GB * 0.92 < on_card <= 8 * GB * 0.92
    too_big = fits("safeguard-120b-mxfp4", machine(32, card=8))
    assert too_big.weights == outline("safeguard-120b-mxfp4").size


def test_the_worst_case_is_what_the_engine_takes(demo_gguf: Path, tmp_path: Path) -> None:
    with Studio.open(tmp_path / "w.studio") as studio:
        there = studio.fit.machine()
        [demo] = [entry for entry in studio.shelf.list() if entry.id == "demo"]
        found = studio.fit.all([demo])["demo"]
        info = studio.models.load()
    assert there.memory_total > there.memory_free > 0
    assert found.fits is Fits.WHOLE
    assert found.needed == pytest.approx(info.memory_bytes, rel=0.1)
    assert found.together == info.n_seq
    assert found.context == info.n_ctx_limit


SAMPLE = Sample(Work(252e6, 214e6), 0.002, 0.01)


def measurement(there: Machine, *places: str) -> Measurement:
    small = Sample(Work(1.4e6, 3.9e6), 1e-5, 2e-4)
    return Measurement(there.key, "2026-11-21T10:00:00+00:00", {place: (small, SAMPLE) for place in places})


def test_seconds_follow_the_measured_rates_and_the_work_of_the_model() -> None:
    there = machine(32)
    time = fits("safeguard-20b-mxfp4", there, measurement(there, CPU)).time
    assert time is not None
    # Twelve times the layers of the probe, and twelve times its bytes, whose parts are those of the 20b.
    assert 1 / time.read_per_s == pytest.approx(12 * SAMPLE.read_s, rel=0.05)
    assert 1 / time.write_per_s == pytest.approx(12 * SAMPLE.write_s, rel=0.05)
    assert time.usual_s == pytest.approx(904 / time.read_per_s + 169 / time.write_per_s)
    assert time.long_s > time.usual_s
    assert "per item" in badge(fits("safeguard-20b-mxfp4", there, measurement(there, CPU)))


def test_a_place_that_was_not_measured_gives_no_seconds() -> None:
    there = machine(32, card=8)
    assert fits("safeguard-20b-mxfp4", there, measurement(there, CPU)).time is None
    assert fits("safeguard-20b-mxfp4", there, measurement(there, CPU, "CUDA0")).time is not None


def run_of(sha256: str, device: str, tokens_per_s: float) -> Run:
    made = Provenance(
        studio_version="0", model_name="m", model_sha256=sha256, llama_build="b", backend="CPU", device=device,
        n_ctx=8192, prompt_layout=1, pinned_date=date(2026, 11, 1), effort=Effort.LOW, sampling=GREEDY,
        policy_sha256="",
    )  # fmt: skip
    timing = Timing(prompt_tokens=500, cached_tokens=100, output_tokens=101, first_token_s=2.0)
    return Run(
        id="r", session_id="s", policy=Policy(id="p", title="P", text="p", labels=()), version=None,
        content=Content.message("x"), state=RunState.DONE, started_at=datetime.now(UTC), provenance=made,
        timing=replace(timing, total_s=2.0 + 100 / tokens_per_s),
    )  # fmt: skip


def test_three_runs_of_the_model_itself_replace_the_estimate(tmp_path: Path) -> None:
    with Studio.open(tmp_path / "w.studio", engine=EngineClient(script=Script())) as studio:
        entry = replace(studio.shelf.list()[1], sha256=("ab" * 32,))
    there = machine(32)
    runs = [run_of("ab" * 32, "Some processor", rate) for rate in (20, 25, 90)]
    others = [run_of("cd" * 32, "Some processor", 1), run_of("ab" * 32, "Another processor", 1)]
    assert fit_service._observed([*runs[:2], *others], entry, there) is None
    time = fit_service._observed([*runs, *others], entry, there)
    assert time is not None
    assert (time.runs, time.read_per_s) == (3, 200)
    assert time.write_per_s == pytest.approx(25)
    assert time.usual_s == pytest.approx(Speed(200, 25).seconds())


def test_a_measurement_is_kept_for_this_machine_only(tmp_path: Path) -> None:
    kept, there = Measurements(tmp_path), machine(32)
    assert kept.of(there) is None
    kept.keep(measurement(there, CPU))
    assert kept.of(there) == measurement(there, CPU)
    assert kept.of(replace(there, processor="Another")) is None
    for damaged in ("", "[]", '{"key": 7}', (tmp_path / "speed.json").read_text().replace("0.01", "NaN")):
        (tmp_path / "speed.json").write_text(damaged)
        assert kept.of(there) is None


@pytest.fixture
def scripted() -> Iterator[EngineClient]:
    cpu = Device("CPU", "A processor", 6 * GB, 8 * GB, gpu=False)
    card = Device("CUDA0", "A card", 7 * GB, 8 * GB, gpu=True)
    told = Survey((cpu, card), "AVX = 1 | AVX2 = 1 | AVX512 = 1 | NEON = 0 |", 3, "a build")
    with EngineClient(script=Script(survey=told)) as client:
        yield client


def test_the_machine_is_told_in_words(scripted: EngineClient) -> None:
    found = MachineService(scripted, lambda: 42 * GB).look()
    assert found.processor == "A processor"
    assert found.features == ("AVX512",)
    assert found.pace[0].startswith("A processor, ")
    assert "A card: 8.0 GB, 7.0 GB free" in found.room
    assert "42 GB free on the disk" in found.room
    assert 0 < found.memory_free <= found.memory_total
    assert found.logical >= found.physical >= 1


def test_instruction_sets_are_those_that_are_on() -> None:
    assert features_in("CPU : SSE3 = 1 | AVX = 1 | AVX2 = 1 | AVX512 = 0 |") == ("AVX2",)
    assert features_in("CPU : NEON = 1 | ARM_FMA = 1 | DOTPROD = 0") == ("NEON", "ARM_FMA")
    assert features_in("") == ()


def test_a_model_whose_head_cannot_be_read_is_not_guessed_at(tmp_path: Path, demo_gguf: Path) -> None:
    with Studio.open(tmp_path / "w.studio", engine=EngineClient(script=Script())) as studio:
        copy = tmp_path / "copy.gguf"
        copy.write_bytes(demo_gguf.read_bytes())
        [entry] = studio.shelf.import_path(copy)
        assert studio.fit.all([entry])[entry.id].fits is Fits.WHOLE
        copy.write_bytes(demo_gguf.read_bytes()[:1000])
        [entry] = [e for e in studio.shelf.list() if e.id == entry.id]
        found = studio.fit.all([entry])[entry.id]
    assert found.fits is Fits.UNKNOWN
    assert found.why
    assert read_outline(demo_gguf).dimensions.layers == 5

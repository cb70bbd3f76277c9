"""A loaded model made ready for requests: how many at a time, and what that needs."""

from __future__ import annotations

from dataclasses import replace

from studio.engine.llama import memory
from studio.engine.llama.model import Model
from studio.engine.llama.place import Place
from studio.engine.llama.scheduler import Emit, Scheduler
from studio.engine.types import EngineSettings


def open_scheduler(model: Model, settings: EngineSettings, emit: Emit, free: int) -> Scheduler:
    """The scheduler of a model, in ``free`` bytes of memory; what was chosen is written into the model's info.

    Raises ``out_of_memory`` when there is no room for one sequence.
    """
    wanted = max(1, min(settings.n_seq or model.info.n_seq_wanted, memory.MOST_SEQUENCES))
    place = Place(model, wanted=wanted, free=free, cache_bytes=settings.cache_bytes)
    model.info = replace(
        model.info,
        n_seq=place.width,
        n_seq_wanted=wanted,
        n_ubatch=memory.step_rows(model.info.n_batch, place.width),
        memory_bytes=place.need.total,
    )
    return Scheduler(model, emit, place, together=bool(model.info.placement.device))

"""What a model needs, worked out before its weights are read: where it goes, and whether it fits at all.

Pure: the same for a file that is about to be loaded and for one that somebody only thinks about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.engine.llama import memory, placement
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.memory import Shape
from studio.engine.llama.placement import Plan, Weights, Wish
from studio.engine.types import Device, EngineSettings

_CPU_BATCH, _GPU_BATCH = 256, 1024


@dataclass(frozen=True, slots=True)
class Fit:
    """A plan that has room. ``gpu`` is the one that the plan uses, if any.

    ``shape`` is the part of the model that is on the computing device, and ``room`` the bytes there, None when nobody
    looked. ``n_ctx_limit`` tokens can one request have. ``step``: tokens of one prefill step.
    """

    plan: Plan
    gpu: Device | None
    shape: Shape
    room: int | None
    n_ctx_limit: int
    step: int
    flash_attn: bool


def fit(
    weights: Weights,
    shape: Shape,
    settings: EngineSettings,
    n_ctx_train: int,
    free: int | None,
    devices: Sequence[Device],
) -> Fit:
    """Plan for a model's weights and these devices. Raises ``no_room`` with the numbers when it cannot fit.

    ``free`` bytes of the system's memory may be used; None does not look.
    """
    gpu = placement.choose(devices, device=settings.device, shares=settings.gpu_shares)
    limit = min(settings.n_ctx or n_ctx_train, n_ctx_train)
    wish = Wish(
        context=min(memory.FIRST_CONTEXT, limit),
        sequences=min(settings.n_seq or memory.GPU_SEQUENCES, memory.MOST_SEQUENCES),
        step=settings.n_batch or _GPU_BATCH,
        kv_type=settings.kv_type,
        n_gpu_layers=settings.n_gpu_layers,
        cpu_experts=settings.cpu_experts,
        cpu_sequences=min(settings.n_seq or memory.CPU_SEQUENCES, memory.MOST_SEQUENCES),
    )
    plan = placement.plan(weights, shape, gpu, wish, without=_why_none(devices, settings))
    on_gpu = gpu is not None and plan.need is not None
    if on_gpu and free is not None and plan.cpu_weights > free:
        raise _no_room(memory.Need(plan.cpu_weights, 0, 0), free, wish.context)
    step = settings.n_batch or (_GPU_BATCH if on_gpu else _CPU_BATCH)
    # Numbers of 8 bits in the context's memory are read by fused attention only.
    flash_attn = settings.flash_attn == "on" or settings.kv_type != "f16" or (settings.flash_attn == "auto" and on_gpu)
    room: int | None
    if gpu is not None and plan.need is not None:
        part, room = replace(shape, weights=plan.gpu_weights, layers=plan.layers), gpu.free
    else:
        part, room = replace(shape, weights=weights.total), free
    longest = limit
    if room is not None:
        longest = memory.longest(
            part, room, limit=limit, step=step, flash_attn=flash_attn, kv_type=settings.kv_type, on_gpu=on_gpu
        )
    if longest == 0:
        need = memory.need(
            part,
            min(memory.SMALLEST_CONTEXT, limit),
            1,
            step,
            flash_attn=flash_attn,
            kv_type=settings.kv_type,
            on_gpu=on_gpu,
        )
        raise _no_room(need, room or 0, min(memory.SMALLEST_CONTEXT, limit))
    return Fit(plan, gpu if on_gpu else None, part, room, longest, step, flash_attn)


def _why_none(devices: Sequence[Device], settings: EngineSettings) -> str:
    names = [found.description or found.name for found in devices if found.gpu]
    if not names:
        return "there is no GPU that this build can use"
    if settings.device is not None:
        return f"there is no GPU {settings.device}, or it failed before"
    return f"loading on {' and on '.join(names)} failed before"


def _no_room(need: memory.Need, free: int, n_ctx: int) -> WorkerFailure:
    """The failure with all numbers in bytes; ``largest`` is the size of the weights that would fit."""
    return WorkerFailure(
        "no_room",
        {
            "needed": need.total,
            "free": free,
            "weights": need.weights,
            "kv": need.kv,
            "buffers": need.buffers + need.host,
            "n_ctx": n_ctx,
            "largest": max(0, free - (need.total - need.weights)),
        },
    )

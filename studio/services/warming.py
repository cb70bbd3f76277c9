"""Policies decoded ahead, from what was kept of them at an earlier start where that can be had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from studio.core.progress import Cancel
from studio.core.prompt import Control, Segment
from studio.engine.client import EngineClient
from studio.engine.types import ModelInfo
from studio.store.heads import KeptHeads


def warm(
    engine: EngineClient, heads: KeptHeads, info: ModelInfo, segments: Sequence[Segment], cancel: Cancel | None
) -> None:
    """Decode the head of a prompt, or take it from ``heads``, and see that it is kept there. Raises EngineError.

    Nothing is kept of a strict engine, which resumes no work but its own, nor of a server's.
    """
    if info.remote or info.n_seq == 1:
        engine.warm(segments, cancel=cancel)
        return
    name = name_of(info, segments)
    made = engine.warm(segments, state=heads.read(name), keep=True, cancel=cancel)
    heads.write(name, made)


def name_of(info: ModelInfo, segments: Sequence[Segment]) -> str:
    """All that decoded work depends on: the model, the build and the device that computed, settings, and the text."""
    text = [(True, part.name) if isinstance(part, Control) else (False, part.text) for part in segments]
    return json.dumps(
        [
            info.sha256,
            info.llama_build,
            info.backend,
            info.device,
            info.placement.n_gpu_layers,
            info.placement.cpu_experts,
            info.extra_bufts,
            info.flash_attn,
            info.kv_type,
            info.n_batch,
            hashlib.sha256(json.dumps(text).encode()).hexdigest(),
        ]
    )

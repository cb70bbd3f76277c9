"""The real worker, on a machine that is said to have a GPU whose loads fail in a way that the environment names.

All of the rest is real: plan, wire, library, and how the process ends.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from typing import Any

FAILURE = "PRETENDED_FAILURE"
"""``none``; ``abort``: the process ends as after a failed assertion of the library; ``memory``: the library gets none;
``first``: it aborts unless the plan was told to use less; ``always``: it aborts on the CPU too."""

CARD = "CUDA0"


def run(conn: Connection, log: Connection, parent: int) -> None:
    """Called as the main function of a new process."""
    import resource

    from studio.engine import types, worker
    from studio.engine.llama import binding, fitting, ggml, model

    how = os.environ[FAILURE]
    card = types.Device(CARD, "Pretended", 8 * 10**9, 8 * 10**9, gpu=True)
    load, fit = model._load, fitting.fit
    asked: list[dict[str, float]] = []

    def fit_and_note(path: Any, shape: Any, settings: Any, *rest: Any) -> Any:
        asked.append(settings.gpu_shares)
        return fit(path, shape, settings, *rest)

    def load_or_not(path: Any, report: Any, *, placement: Any, **more: Any) -> Any:
        on_card = placement.device == CARD
        if how == "always" or (on_card and (how == "abort" or (how == "first" and not asked[-1]))):
            os.abort()
        if on_card and how == "memory":
            resource.setrlimit(resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
        return load(path, report, placement=placement, **more)

    patches: tuple[tuple[Any, str, Any], ...] = (
        (binding, "has_gpu", lambda: True),
        (ggml, "devices", lambda: (card,)),
        (fitting, "fit", fit_and_note),
        (model, "_load", load_or_not),
    )
    for module, name, value in patches:
        setattr(module, name, value)
    worker.run(conn, log, parent)

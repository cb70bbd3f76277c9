"""What there is to compute on, as the library sees it."""

from __future__ import annotations

from dataclasses import replace

from studio.engine.llama import binding, ggml
from studio.engine.llama.cores import default_threads
from studio.engine.types import Survey


def survey() -> Survey:
    """This machine as it is now; GPUs only where this build can use them."""
    usable = binding.has_gpu()
    return Survey(
        devices=tuple(replace(found, handle=None) for found in ggml.devices() if usable or not found.gpu),
        features=binding.lib.llama_print_system_info().decode("utf-8", "replace"),
        n_threads=default_threads(),
        llama_build=binding.build(),
    )

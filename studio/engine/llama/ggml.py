"""The parts of ggml that the binding does not bind: its devices, its buffer types, and the tensor table of a file."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio.engine.llama.binding import lib
from studio.engine.types import Device

_GPU, _INTEGRATED = 1, 2
"""Kinds of devices, by ggml's own numbers; 0 is a CPU, 3 a helper of the CPU."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})(\.gguf)$")


def devices() -> tuple[Device, ...]:
    """Everything that the library can compute on; empty when it does not say."""
    try:
        count = _function("ggml_backend_dev_count", [], ctypes.c_size_t)
        get = _function("ggml_backend_dev_get", [ctypes.c_size_t], ctypes.c_void_p)
    except AttributeError:
        return ()
    return tuple(_device(get(index)) for index in range(count()))


def tensor_bytes(path: Path) -> dict[str, int]:
    """Bytes of each tensor of a model file, all parts of a split one together; empty where this cannot be read.

    Only the tables are read, no weights. A file that is damaged is told by the library when it loads it.
    """
    found: dict[str, int] = {}
    for part in parts(path):
        found.update(_table(part))
    return found


def parts(path: Path) -> list[Path]:
    """All files of a model of which ``path`` is the first: itself, unless its name says that there are more."""
    match = _PART.search(path.name)
    if match is None:
        return [path]
    count = int(match[2])
    stem = path.name[: match.start()]
    return [path.with_name(f"{stem}-{number:05d}-of-{count:05d}{match[3]}") for number in range(1, count + 1)]


class _Override(ctypes.Structure):
    """``llama_model_tensor_buft_override``."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


def keep_on_cpu(patterns: Sequence[str]) -> Any:
    """An array for ``tensor_buft_overrides``: tensors whose names fit one of ``patterns`` go into the CPU's memory.

    It must live as long as the model: the library keeps the pointer, not the array. An entry of nulls ends it.
    """
    cpu = _function("ggml_backend_cpu_buffer_type", [], ctypes.c_void_p)()
    made = (_Override * (len(patterns) + 1))()
    for place, pattern in enumerate(patterns):
        made[place] = _Override(pattern.encode(), cpu)
    return made


def only(device: Device) -> Any:
    """An array for ``devices`` with this one in it; None, which means all, for a device that was made up."""
    if device.handle is None:
        return None
    return (ctypes.c_void_p * 2)(device.handle, None)


def _device(handle: int) -> Device:
    memory = _function("ggml_backend_dev_memory", [ctypes.c_void_p, *[ctypes.POINTER(ctypes.c_size_t)] * 2], None)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    memory(handle, ctypes.byref(free), ctypes.byref(total))
    kind = _function("ggml_backend_dev_type", [ctypes.c_void_p], ctypes.c_int)(handle)
    name, description = (
        _function(f"ggml_backend_dev_{what}", [ctypes.c_void_p], ctypes.c_char_p)(handle).decode("utf-8", "replace")
        for what in ("name", "description")
    )
    return Device(
        name, description, int(free.value), int(total.value), kind in (_GPU, _INTEGRATED), kind == _INTEGRATED, handle
    )


class _ReadOptions(ctypes.Structure):
    """``gguf_init_params``: with ``no_alloc`` only the head of the file is read."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


def _table(path: Path) -> dict[str, int]:
    try:
        read = _function("gguf_init_from_file", [ctypes.c_char_p, _ReadOptions], ctypes.c_void_p)
        free = _function("gguf_free", [ctypes.c_void_p], None)
        count = _function("gguf_get_n_tensors", [ctypes.c_void_p], ctypes.c_int64)
        name = _function("gguf_get_tensor_name", [ctypes.c_void_p, ctypes.c_int64], ctypes.c_char_p)
        size = _function("gguf_get_tensor_size", [ctypes.c_void_p, ctypes.c_int64], ctypes.c_size_t)
    except AttributeError:
        return {}
    handle = read(os.fsencode(path), _ReadOptions(True, None))
    if not handle:
        return {}
    try:
        return {
            name(handle, place).decode("utf-8", "replace"): int(size(handle, place)) for place in range(count(handle))
        }
    finally:
        free(handle)


def _function(name: str, arguments: list[Any], result: Any) -> Any:
    """A function of the libraries, with its types. Raises AttributeError when none of them shows it."""
    for library in _libraries():
        with contextlib.suppress(AttributeError):
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, result
            return function
    raise AttributeError(name)


@functools.cache
def _libraries() -> tuple[Any, ...]:
    """llama.cpp's library, through which the others' symbols are seen too, but on Windows: there each one by itself."""
    main = Path(lib._lib._name)
    return tuple(ctypes.CDLL(str(file)) for file in (main, *sorted(main.parent.glob("ggml*.dll"))))

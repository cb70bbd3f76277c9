"""Opening a model file: what it is, whether it is one of ours, and why not."""

from __future__ import annotations

import ctypes
import hashlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.core.progress import Progress
from studio.engine.llama import binding
from studio.engine.llama.binding import lib
from studio.engine.llama.cores import default_threads, is_virtual_amx
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.memory import Shape
from studio.engine.llama.tokens import Vocabulary
from studio.engine.types import EngineSettings, ModelInfo

ARCHITECTURE = "gpt-oss"
DEMO_NAME = "Moderation Studio demo model"
"""``general.name`` of the demo model; it is told by this and says so wherever it speaks."""

Report = Callable[[Progress], bool]
"""Takes how far loading is; answers False to stop."""

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_HASH_CHUNK = 8 * 1024 * 1024
_CPU_BATCH, _GPU_BATCH = 256, 1024


class Model:
    """A loaded model with its vocabulary; :meth:`close` gives the memory back."""

    def __init__(self, handle: Any, vocabulary: Vocabulary, info: ModelInfo) -> None:
        self.handle = handle
        self.vocabulary = vocabulary
        self.info = info

    def shape(self) -> Shape:
        """What of it decides how much memory a context needs."""
        width, heads = int(lib.llama_model_n_embd(self.handle)), int(lib.llama_model_n_head(self.handle))
        arch = self.info.architecture
        return Shape(
            weights=int(lib.llama_model_size(self.handle)),
            layers=int(lib.llama_model_n_layer(self.handle)),
            heads=heads,
            kv_heads=int(lib.llama_model_n_head_kv(self.handle)),
            key=int(_metadata(self.handle, f"{arch}.attention.key_length") or width // max(heads, 1)),
            value=int(_metadata(self.handle, f"{arch}.attention.value_length") or width // max(heads, 1)),
            width=width,
            vocabulary=self.vocabulary.size,
        )

    def close(self) -> None:
        """Free the model; contexts made from it must be gone before."""
        lib.llama_model_free(self.handle)


def open_model(path: Path, settings: EngineSettings, sha256: str, report: Report) -> Model:
    """Check, hash (when ``sha256`` is not known), and load a model file.

    Raises :class:`WorkerFailure` with a ``model_file.…`` code, ``out_of_memory`` or ``cancelled``.
    """
    _check_header(path)
    digest = sha256 or _hash(path, report)
    _check_kind(path)
    extra_bufts = settings.use_extra_bufts if settings.use_extra_bufts is not None else not is_virtual_amx()
    layers = settings.n_gpu_layers if settings.n_gpu_layers is not None else (-1 if binding.has_gpu() else 0)
    handle = _load(path, report, extra_bufts=extra_bufts, n_gpu_layers=layers)
    vocabulary = Vocabulary(handle)
    n_ctx_train = int(lib.llama_model_n_ctx_train(handle))
    on_gpu = binding.has_gpu() and layers != 0
    backend, device = _place(on_gpu)
    info = ModelInfo(
        path=str(path),
        name=_metadata(handle, "general.name") or path.stem,
        architecture=_metadata(handle, "general.architecture"),
        description=_text(lib.llama_model_desc, handle),
        sha256=digest,
        size_bytes=path.stat().st_size,
        n_params=int(lib.llama_model_n_params(handle)),
        n_ctx_train=n_ctx_train,
        n_ctx_limit=min(settings.n_ctx or n_ctx_train, n_ctx_train),
        n_vocab=vocabulary.size,
        llama_build=binding.build(),
        backend=backend,
        device=device,
        n_threads=settings.n_threads or default_threads(),
        n_batch=settings.n_batch or (_GPU_BATCH if on_gpu else _CPU_BATCH),
        n_gpu_layers=layers,
        flash_attn=settings.flash_attn == "on" or (settings.flash_attn == "auto" and on_gpu),
        extra_bufts=extra_bufts,
        is_demo=_metadata(handle, "general.name") == DEMO_NAME,
        network="",
        writes="",
    )
    return Model(handle, vocabulary, info)


def _check_header(path: Path) -> None:
    if not path.is_file():
        raise WorkerFailure("model_file.missing")
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise WorkerFailure("model_file.unreadable", detail=error.strerror or "") from error
    if len(head) < 8 or head[:4] != _MAGIC:
        raise WorkerFailure("model_file.not_gguf")
    if struct.unpack("<I", head[4:])[0] not in _VERSIONS:
        raise WorkerFailure("model_file.gguf_version")


def _hash(path: Path, report: Report) -> str:
    total = path.stat().st_size
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if not report(Progress(done, total, "Checking the file")):
                raise WorkerFailure("cancelled")
    return digest.hexdigest()


def _check_kind(path: Path) -> None:
    """Read metadata and vocabulary only, so that a wrong file is told before its gigabytes are loaded."""
    params = lib.llama_model_default_params()
    params.vocab_only = True
    handle = _from_file(path, params)
    try:
        if _metadata(handle, "general.architecture") != ARCHITECTURE:
            raise WorkerFailure("model_file.architecture", detail=_metadata(handle, "general.architecture"))
        missing = Vocabulary(handle).missing_harmony
        if missing:
            raise WorkerFailure("model_file.no_harmony", detail=", ".join(missing))
    finally:
        lib.llama_model_free(handle)


def _load(path: Path, report: Report, *, extra_bufts: bool, n_gpu_layers: int) -> Any:
    stopped: list[BaseException] = []

    def on_progress(fraction: float, _user_data: Any) -> bool:
        # An exception must not cross the C frames above: it is kept, and raised when they have returned.
        try:
            if not report(Progress(round(fraction * 1000), 1000, "Loading the model")):
                stopped.append(WorkerFailure("cancelled"))
        except BaseException as error:
            stopped.append(error)
        return not stopped

    params = lib.llama_model_default_params()
    params.n_gpu_layers = n_gpu_layers
    params.use_extra_bufts = extra_bufts
    callback = lib.llama_progress_callback(on_progress)  # kept until loading has ended
    params.progress_callback = callback
    try:
        return _from_file(path, params)
    except WorkerFailure:
        if stopped:
            raise stopped[0] from None
        raise


def _from_file(path: Path, params: Any) -> Any:
    binding.clear_log()
    handle = lib.llama_model_load_from_file(os.fsencode(path), params)
    if not handle:
        raise _why_not()
    return handle


def _why_not() -> WorkerFailure:
    """The library only says that it failed; the reason is in its log."""
    lines = binding.log_lines()
    errors = [line[2:] for line in lines if line.startswith("E ")] or list(lines[-3:])
    text = " ".join(errors).lower()
    detail = errors[0][:300] if errors else ""
    if "unknown model architecture" in text:
        return WorkerFailure("model_file.architecture", detail=detail)
    if "not within the file bounds" in text or "incomplete" in text or "failed to read" in text:
        return WorkerFailure("model_file.truncated", detail=detail)
    if "unable to allocate" in text or "failed to allocate" in text or "out of memory" in text:
        return WorkerFailure("out_of_memory", detail=detail)
    return WorkerFailure("model_file.damaged", detail=detail)


def _metadata(handle: Any, key: str) -> str:
    buffer = ctypes.create_string_buffer(1024)
    count = int(lib.llama_model_meta_val_str(handle, key.encode(), buffer, len(buffer)))
    return buffer.value.decode("utf-8", "replace") if count >= 0 else ""


def _text(function: Any, handle: Any) -> str:
    buffer = ctypes.create_string_buffer(256)
    function(handle, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace")


def _place(on_gpu: bool) -> tuple[str, str]:
    """(backend, device) that computes: the first GPU when layers go there, else the CPU."""
    found = binding.devices()
    wanted = [item for item in found if (item[0] == "CPU") != on_gpu]
    name, description = wanted[0] if wanted else ("GPU" if on_gpu else "CPU", "")
    return name, description or name

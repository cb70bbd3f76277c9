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
from studio.engine.llama import binding, fitting, ggml
from studio.engine.llama.binding import lib
from studio.engine.llama.cores import default_threads, is_virtual_amx
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.memory import Shape
from studio.engine.llama.placement import Weights, patterns
from studio.engine.llama.tokens import Vocabulary
from studio.engine.types import EngineSettings, ModelInfo, Placement

ARCHITECTURE = "gpt-oss"
DEMO_NAME = "Moderation Studio demo model"
"""``general.name`` of the demo model; it is told by this and says so wherever it speaks."""

Report = Callable[[Progress], bool]
"""Takes how far loading is; answers False to stop."""

OnPlan = Callable[[str, Placement], None]
"""Takes the file's sha256 and where it will be put."""

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_LARGEST = 1 << 31
_HASH_CHUNK = 8 * 1024 * 1024


class Model:
    """A loaded model with its vocabulary; :meth:`close` gives the memory back.

    ``shape`` is that of the part which the computing device holds, and ``room`` the bytes that it has for that part and
    for contexts; None when nobody looked.
    """

    def __init__(
        self, handle: Any, vocabulary: Vocabulary, info: ModelInfo, *, shape: Shape, room: int | None, kept: Any
    ) -> None:
        self.handle = handle
        self.vocabulary = vocabulary
        self.info = info
        self.shape = shape
        self.room = room
        self._kept = kept  # arrays that the library still points to

    def close(self) -> None:
        """Free the model; contexts made from it must be gone before."""
        lib.llama_model_free(self.handle)


def open_model(
    path: Path,
    settings: EngineSettings,
    sha256: str,
    report: Report,
    *,
    free: int | None = None,
    on_plan: OnPlan | None = None,
) -> Model:
    """Check, hash (when ``sha256`` is not known), plan and load a model file.

    ``free`` are the bytes of the system's memory that it may take; None does not look. ``on_plan`` is told hash and
    placement before the weights are loaded. Raises :class:`WorkerFailure` with a ``model_file.…`` code, ``no_room``,
    ``out_of_memory``, ``device`` or ``cancelled``.
    """
    _check_header(path)
    digest = sha256 or _hash(path, report)
    shape, n_ctx_train = _check_kind(path)
    devices = ggml.devices() if binding.has_gpu() else ()
    planned = fitting.fit(weights_of(path, shape.layers), shape, settings, n_ctx_train, free, devices)
    placement = planned.plan.placement
    if on_plan is not None:
        on_plan(digest, placement)
    extra_bufts = settings.use_extra_bufts if settings.use_extra_bufts is not None else not is_virtual_amx()
    kept = (ggml.keep_on_cpu(patterns(placement)), ggml.only(planned.gpu) if planned.gpu is not None else None)
    handle = _load(path, report, extra_bufts=extra_bufts, placement=placement, kept=kept)
    vocabulary = Vocabulary(handle)
    info = ModelInfo(
        path=str(path),
        name=_metadata(handle, "general.name") or path.stem,
        architecture=_metadata(handle, "general.architecture"),
        description=_text(lib.llama_model_desc, handle),
        sha256=digest,
        size_bytes=path.stat().st_size,
        n_params=int(lib.llama_model_n_params(handle)),
        n_ctx_train=n_ctx_train,
        n_ctx_limit=planned.n_ctx_limit,
        n_vocab=vocabulary.size,
        llama_build=binding.build(),
        backend=placement.device or "CPU",
        device=placement.device_name or placement.device or _cpu_name(),
        n_threads=settings.n_threads or default_threads(),
        n_batch=planned.step,
        n_gpu_layers=placement.n_gpu_layers,
        flash_attn=planned.flash_attn,
        extra_bufts=extra_bufts,
        is_demo=_metadata(handle, "general.name") == DEMO_NAME,
        network="",
        writes="",
        n_seq_wanted=planned.plan.sequences,
        kv_type=settings.kv_type,
        placement=placement,
    )
    return Model(handle, vocabulary, info, shape=planned.shape, room=planned.room, kept=kept)


def weights_of(path: Path, layers: int) -> Weights:
    """The file's tensors by place; where their table cannot be read, all as one, which nothing can be left out of."""
    tensors = ggml.tensor_bytes(path)
    if tensors:
        return Weights.of(tensors, layers)
    size = sum(part.stat().st_size for part in ggml.parts(path) if part.is_file())
    return Weights(0, 0, (size // max(layers, 1),) * layers, (0,) * layers)


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


def _check_kind(path: Path) -> tuple[Shape, int]:
    """Read metadata and vocabulary only, so that a wrong file is told before its gigabytes are loaded.

    Returns the model's shape, its weights not yet counted, and the context that it was trained for.
    """
    params = lib.llama_model_default_params()
    params.vocab_only = True
    handle = _from_file(path, params)
    try:
        if _metadata(handle, "general.architecture") != ARCHITECTURE:
            raise WorkerFailure("model_file.architecture", detail=_metadata(handle, "general.architecture"))
        vocabulary = Vocabulary(handle)
        missing = vocabulary.missing_harmony
        if missing:
            raise WorkerFailure("model_file.no_harmony", detail=", ".join(missing))
        return _shape(handle, vocabulary.size)
    finally:
        lib.llama_model_free(handle)


def _shape(handle: Any, vocabulary: int) -> tuple[Shape, int]:
    def number(key: str, otherwise: int = 0) -> int:
        text = _metadata(handle, f"{ARCHITECTURE}.{key}")
        try:
            value = int(text) if text else otherwise
        except ValueError:
            value = 0
        if not 0 < value < _LARGEST:
            raise WorkerFailure("model_file.damaged", detail=f"{key} is {text or 'missing'}")
        return value

    width, heads = number("embedding_length"), number("attention.head_count")
    shape = Shape(
        weights=0,
        layers=number("block_count"),
        heads=heads,
        kv_heads=number("attention.head_count_kv", heads),
        key=number("attention.key_length", max(1, width // heads)),
        value=number("attention.value_length", max(1, width // heads)),
        width=width,
        vocabulary=vocabulary,
        experts_used=number("expert_used_count"),
        ff=number("expert_feed_forward_length"),
    )
    return shape, number("context_length")


def _load(path: Path, report: Report, *, extra_bufts: bool, placement: Placement, kept: tuple[Any, Any]) -> Any:
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
    params.n_gpu_layers = placement.n_gpu_layers
    params.use_extra_bufts = extra_bufts
    params.tensor_buft_overrides, params.devices = (ctypes.cast(array, ctypes.c_void_p) for array in kept)
    params.split_mode = lib.LLAMA_SPLIT_MODE_NONE
    callback = lib.llama_progress_callback(on_progress)  # kept until loading has ended
    params.progress_callback = callback
    try:
        return _from_file(path, params)
    except WorkerFailure as failure:
        if stopped:
            raise stopped[0] from None
        if placement.device and failure.code == "model_file.damaged":
            # Not one of the faults of files that are known, and a GPU took part: the next place to try tells.
            raise WorkerFailure("device", detail=failure.detail) from None
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


def _cpu_name() -> str:
    return next((found.description for found in ggml.devices() if not found.gpu and found.description), "CPU")

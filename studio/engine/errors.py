"""How the engine can fail, told apart, each with its next step. The worker sends codes; words are made here."""

from __future__ import annotations

from collections.abc import Mapping

from studio.core.errors import EngineError, ModelFileError, StudioError, TooLongError


class EngineCancelledError(EngineError):
    """A load or a warm-up was stopped by a cancel that we sent."""

    title = "Cancelled"
    code = "cancelled"


class NoModelError(EngineError):
    """A request came before any model was loaded."""

    title = "No model is loaded"
    code = "no_model"


class EngineClosedError(EngineError):
    """The client was closed, or loaded another model, while a request was on its way."""

    title = "The engine was closed"
    code = "engine_closed"


class EngineDeath(EngineError):
    """The worker process ended although nobody asked it to. ``log`` is the end of what it printed."""

    code = "engine_died"

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message, hint=hint)
        self.log = log


class EngineKilledError(EngineDeath):
    """Another program, or a person, ended the worker with a signal."""

    title = "The engine was stopped from outside"
    code = "engine_killed"


class EngineMemoryError(EngineDeath):
    """There was not enough memory."""

    title = "Not enough memory"
    code = "engine_out_of_memory"


class NoRoomError(EngineError):
    """A model cannot fit into the memory that is free. Nothing was loaded."""

    title = "This model does not fit"
    code = "engine_no_room"


class EngineDeviceError(EngineDeath):
    """A GPU could not take its part of the model."""

    title = "The GPU could not load the model"
    code = "engine_device"


class EngineLoadCrashError(EngineDeath):
    """The worker crashed while it opened a model file."""

    title = "The engine crashed while opening the model"
    code = "engine_crashed_loading"


class EngineCrashError(EngineDeath):
    """The worker crashed while it worked on a request."""

    title = "The engine crashed"
    code = "engine_crashed"


class EngineHungError(EngineDeath):
    """The worker gave no sign of life although work was due; it was ended."""

    title = "The engine did not answer"
    code = "engine_hung"


class EngineExitedError(EngineDeath):
    """The worker left by itself."""

    title = "The engine stopped"
    code = "engine_exited"


class EngineProtocolError(EngineDeath):
    """The worker speaks another version of the protocol, or something that is not the protocol at all."""

    title = "The engine does not match this studio"
    code = "engine_protocol"


class CrashLoopError(EngineError):
    """The worker died several times in a row, so it is not started again by itself."""

    title = "The engine keeps stopping"
    code = "engine_crash_loop"


class GrammarError(EngineError):
    """An answer cannot be held to the form that was asked for."""

    title = "The answer cannot be held to this form"
    code = "engine_grammar"


class ContentTokensError(EngineError):
    """A text could not be turned into plain tokens that give exactly this text back. Nothing was sent."""

    title = "This text cannot be sent to the model"
    code = "engine_framing"


_MODEL_FILE = {
    "missing": ("{path} is not there, or is not a file.", "Choose the file again."),
    "unreadable": ("{path} cannot be read.", "Check the file's permissions."),
    "not_gguf": ("{path} is not a GGUF model file.", "Choose a file that ends in .gguf."),
    "gguf_version": ("{path} has a GGUF version that this engine does not read.", "Look for a newer file."),
    "truncated": ("{path} is shorter than it says: a part is missing.", "Download or copy it again."),
    "damaged": ("{path} is damaged.", "Download or copy it again."),
    "architecture": ("{path} is not a gpt-oss model.", "Choose a gpt-oss-safeguard model."),
    "no_harmony": (
        "{path} is not a gpt-oss model: its vocabulary lacks harmony control tokens.",
        "Choose a gpt-oss-safeguard model.",
    ),
    "changed": ("{path} is not the file that was expected: its SHA-256 differs.", "Import it again."),
}


def model_file_error(code: str, path: str, detail: str = "") -> ModelFileError:
    """The error for a model file; its ``code`` is ``model_file.`` and one of the codes above."""
    message, hint = _MODEL_FILE[code]
    text = message.format(path=path)
    error = ModelFileError(f"{text} ({detail})" if detail else text, hint=hint)
    error.code = f"model_file.{code}"
    return error


def error_from_code(code: str, numbers: Mapping[str, int], detail: str, path: str) -> StudioError:
    """The error for what a worker reported as failed. Codes of model files begin with ``model_file.``."""
    if code.startswith("model_file.") and code.removeprefix("model_file.") in _MODEL_FILE:
        return model_file_error(code.removeprefix("model_file."), path, detail)
    if code == "too_long":
        return too_long_error(numbers.get("needed", 0), numbers.get("available", 0))
    if code == "cancelled":
        return EngineCancelledError("This was cancelled.")
    if code == "no_model":
        return NoModelError("The engine has no model.", hint="Choose one under Models.")
    if code == "out_of_memory":
        return EngineMemoryError(
            f"There is not enough memory for a context of {numbers.get('n_ctx', 0)} tokens."
            if numbers.get("n_ctx")
            else "There is not enough memory for this model.",
            hint="Close other programs, or choose a smaller model or context.",
            log=detail,
        )
    if code == "no_room":
        return _no_room_error(numbers)
    if code == "device":
        return EngineDeviceError(
            "The GPU could not load its part of the model." + (f" ({detail})" if detail else ""),
            hint="Load it on the CPU.",
            log=detail,
        )
    if code in ("framing_control", "framing_round_trip", "framing_unknown_control"):
        error = ContentTokensError(f"The text was not sent, because its tokens are not safe ({code}). {detail}".strip())
        error.code = f"engine_{code}"
        return error
    if code == "grammar":
        return GrammarError(
            f"The grammar of the answer cannot be read: {detail}",
            hint="Judge without holding the model to the contract.",
        )
    if code == "grammar_end":
        return GrammarError(
            "The model has no token with which the answer could go on in its form.",
            hint="Judge without holding the model to the contract, or use another model.",
        )
    return EngineError(f"The engine could not do this ({code}). {detail}".strip(), hint="Try again.")


def _no_room_error(numbers: Mapping[str, int]) -> NoRoomError:
    def size(name: str) -> str:
        count = numbers.get(name, 0)
        return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"

    largest = f"A model file of up to {size('largest')} would fit. " if numbers.get("largest") else ""
    return NoRoomError(
        f"The model needs {size('needed')} of memory and {size('free')} are free: its weights {size('weights')}, "
        f"a context of {numbers.get('n_ctx', 0):,} tokens {size('kv')}, and its work {size('buffers')}.",
        hint=f"{largest}Close other programs, or choose a smaller model.",
    )


def too_long_error(needed: int, available: int) -> TooLongError:
    """The error for a prompt that does not fit, with both numbers in tokens."""
    return TooLongError(
        f"Policy, content and room for the answer need {needed} tokens; {available} are available.",
        needed=needed,
        available=available,
        hint="Shorten the content or the policy.",
    )

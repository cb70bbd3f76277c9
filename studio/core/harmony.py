"""The channels of one answer: from the engine's messages, or from text as other tools stored it.

The engine cuts channels at token ids, so markup inside its texts is plain text. Stored text has no token ids: there a
header counts only where a message can begin, and whatever might have been meant as an answer before the last final is
kept, so that a quoted header can never quietly replace the model's own verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FINISHED_STOPS = frozenset({"return", "stop", "eos", "end"})
"""The ways of stopping after which a model had said all it wanted to say."""

_HEADER = re.compile(
    r"""
    (?P<before><\|(?:end|return|call)\|>\s*|^\s*)
    (?:<\|start\|>\s*)?
    (?:assistant\b(?:\s+to=[\w.]+)?\s*)?
    (?:<\|channel\|>\s*|(?<=\|>)|^\s*)
    (?P<channel>analysis|commentary|final)\b
    (?:\s+to=[\w.]+)?
    \s*(?:<\|constrain\|>\s*\w*\s*|(?:json|code)\s*)?
    <\|message\|>
    """,
    re.VERBOSE,
)
_OWN_HEADER = re.compile(
    r"<\|start\|>\s*assistant[^<\n]{0,60}<\|channel\|>\s*(?P<channel>analysis|commentary|final)\b[^<\n]{0,60}"
    r"(?:<\|constrain\|>\s*\w*\s*)?<\|message\|>"
)
_ENDS = ("<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|endoftext|>", "<|im_end|>", "</s>", "<eos>")
_LEAD = re.compile(r"\A\s*(?:<\|(?:start|message|end)\|>\s*)+(?:assistant\b\s*)?")
_STRIPPED = re.compile(r"assistant\n?(?P<channel>analysis|commentary|final)(?:\s+to=[\w.]+)?(?:json(?=\s*[{\[]))?")
_STRIPPED_START = re.compile(r"\A\s*(?:assistant\n?)?(?P<channel>analysis|commentary|final)(?=[A-Z\d\"'(\[{*\n])")
_THINK = re.compile(r"\A\s*<(?P<tag>think|thinking|reasoning|thought)>(?P<body>.*?)(?:</(?P=tag)>|\Z)", re.DOTALL)
_THINK_END = re.compile(r"</(?:think|thinking|reasoning|thought)>")


@dataclass(frozen=True, slots=True)
class Channels:
    """What the model wrote, by channel.

    ``final`` is None when there was no final channel at all. ``finished`` is False when the answer was cut off.
    ``earlier_finals`` are finals before the last one. ``headless`` marks stored text that began without a header, so
    that the start of ``analysis`` may in truth be an answer that quotes a header.
    """

    analysis: str
    final: str | None
    commentary: str = ""
    finished: bool = True
    earlier_finals: tuple[str, ...] = ()
    headless: bool = False


def from_messages(messages: Iterable[tuple[str | None, str]], stop: str) -> Channels:
    """The channels from (channel, text) pairs that were cut at token ids; ``stop`` says why the model stopped.

    A message without a channel is read as a final: the model began to answer without naming one.
    """
    return _collect(((channel or "final", text) for channel, text in messages), finished=stop in FINISHED_STOPS)


def from_text(raw: str, reasoning: str | None = None) -> Channels:
    """The channels from stored text, with harmony markup, with the markup stripped, or with none.

    ``reasoning`` is the reasoning where the tool kept it apart; then ``raw`` is the final, unless it starts with a
    header.
    """
    marked = _marked(raw, apart=bool(reasoning)) or _stripped(raw, apart=bool(reasoning)) or _thought(raw)
    if marked is not None:
        if reasoning and not marked.analysis:
            return Channels(reasoning, marked.final, marked.commentary, True, marked.earlier_finals)
        return marked
    final = _trimmed(raw)
    if reasoning and reasoning.strip() and not final.strip():
        return Channels(reasoning, None)
    return Channels(reasoning or "", final)


def _collect(messages: Iterable[tuple[str, str]], *, finished: bool = True, headless: bool = False) -> Channels:
    texts: dict[str, list[str]] = {"analysis": [], "commentary": [], "final": []}
    for channel, text in messages:
        texts.get(channel, texts["commentary"]).append(text)
    finals = texts["final"]
    return Channels(
        "\n".join(texts["analysis"]),
        finals[-1] if finals else None,
        "\n".join(texts["commentary"]),
        finished,
        tuple(finals[:-1]),
        headless,
    )


def _marked(raw: str, *, apart: bool) -> Channels | None:
    """Text that still has its headers; None when it has none where a message can begin."""
    if "<|message|>" not in raw:
        return None
    headers = sorted({m.start("channel"): m for m in (*_HEADER.finditer(raw), *_OWN_HEADER.finditer(raw))}.items())
    if not headers:
        return None
    first = headers[0][1]
    lead = _untailed(raw[: first.start()])
    if lead.strip() and apart:
        return None
    messages = [("analysis", lead)] if lead.strip() else []
    ends = [match.start() for _, match in headers[1:]] + [len(raw)]
    for (_, match), end in zip(headers, ends, strict=True):
        body = _untailed(raw[match.end() : end])
        messages.append((match["channel"], body))
    return _collect(messages, headless=bool(lead.strip()))


def _stripped(raw: str, *, apart: bool) -> Channels | None:
    """``analysis…assistantfinal…``: the headers' words without their control tokens."""
    start = _STRIPPED_START.match(raw)
    marks = list(_STRIPPED.finditer(raw, start.end() if start else 0))
    if start is None and (not marks or apart):
        return None
    if start is not None and start["channel"] == "final" and not marks and raw.lstrip().startswith("final\n"):
        return _collect([("final", _trimmed(raw[start.end() :]))])
    lead = raw[start.end() if start else 0 : marks[0].start() if marks else len(raw)]
    messages = [(start["channel"] if start else "analysis", _trimmed(lead))] if lead.strip() else []
    ends = [mark.start() for mark in marks[1:]] + [len(raw)]
    messages += [
        (mark["channel"], _trimmed(raw[mark.end() : end])) for mark, end in zip(marks, ends, strict=bool(marks))
    ]
    return _collect(messages, headless=start is None and bool(lead.strip()))


def _thought(raw: str) -> Channels | None:
    """Reasoning in tags, as some servers keep it; a lost opening tag is understood."""
    match = _THINK.match(raw)
    if match is not None:
        rest = raw[match.end() :]
        closed = raw[match.start() : match.end()].rstrip().endswith(f"</{match['tag']}>")
        return Channels(match["body"], _trimmed(rest) if closed and rest.strip() else None)
    end = _THINK_END.search(raw)
    if end is None or not raw[end.end() :].strip():
        return None
    return Channels(raw[: end.start()], _trimmed(raw[end.end() :]), headless=True)


def _trimmed(text: str) -> str:
    """The text without control tokens left at its ends."""
    return _LEAD.sub("", _untailed(text))


def _untailed(text: str) -> str:
    """The text without the control tokens at its end."""
    bare = text.rstrip()
    while bare.endswith(_ENDS):
        bare = bare[: -len(next(end for end in _ENDS if bare.endswith(end)))].rstrip()
        text = bare
    return text

"""The full-text index over runs, changed in the same transaction as the runs.

Scripts without spaces (Chinese, Japanese, Thai and others) and emoji are cut into single characters with a mark that
belongs to no word, so that every part of such a text can be found; the mark is taken out again from what is shown.
"""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import text
from sqlalchemy.orm import Session

from studio.core.content import Content, clean
from studio.core.policy import ContentKind
from studio.core.verdict import Verdict

OPENS, CLOSES = "\x02", "\x03"
_CUT = "\x1f"
_NOISE = re.compile(r"[\x00\x02\x03\x1f]")
_ALONE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2190-\u2bff\u2e80-\u2fdf\u3040-\u312f\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9d\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_EDGE = re.compile(f"(?<=[{_ALONE}])|(?=[{_ALONE}])")
_MAX_TERMS, _MAX_CHARS = 24, 1000


def index_run(session: Session, seq: int, policy_title: str, session_title: str, content: Content) -> None:
    """Make a run that begins findable by its policy, session and content."""
    session.execute(
        text(
            "INSERT INTO run_search (rowid, policy, session, content, rationale, reasoning) "
            "VALUES (:seq, :policy, :session, :content, '', '')"
        ),
        {
            "seq": seq,
            "policy": _indexed(policy_title),
            "session": _indexed(session_title),
            "content": _indexed(_words(content)),
        },
    )


def index_verdict(session: Session, seq: int, verdict: Verdict | None) -> None:
    """Make a run findable by what the model wrote, or by why there is no verdict."""
    said = "" if verdict is None else "\n".join(part for part in (verdict.rationale, verdict.status_detail) if part)
    session.execute(
        text("UPDATE run_search SET rationale = :rationale, reasoning = :reasoning WHERE rowid = :seq"),
        {
            "seq": seq,
            "rationale": _indexed(said),
            "reasoning": _indexed("" if verdict is None else verdict.reasoning),
        },
    )


def retitle_session(session: Session, session_id: str, title: str) -> None:
    """Let the runs of the session be found by its new title."""
    session.execute(
        text("UPDATE run_search SET session = :title WHERE rowid IN (SELECT seq FROM runs WHERE session_id = :id)"),
        {"title": _indexed(title), "id": clean(session_id)},
    )


def forget_session(session: Session, session_id: str) -> None:
    """Take the runs of the session out of the index; to be called while the runs are still there."""
    session.execute(
        text("DELETE FROM run_search WHERE rowid IN (SELECT seq FROM runs WHERE session_id = :id)"),
        {"id": clean(session_id)},
    )


def forget_run(session: Session, seq: int) -> None:
    """Take one run out of the index."""
    session.execute(text("DELETE FROM run_search WHERE rowid = :seq"), {"seq": seq})


def expression(query: str) -> str:
    """What a person typed, as an FTS5 expression: all words must be there, the last one may go on. Empty when no word.

    Every word is quoted, so nothing of it is read as syntax. Very long input is cut: the first 24 words count.
    """
    words = _NOISE.sub(" ", clean(query[:_MAX_CHARS])).split()
    words = [word for word in words if any(_is_token(char) for char in word)][:_MAX_TERMS]
    quoted = ['"' + _EDGE.sub(_CUT, word).replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + " *" if quoted else ""


def shown(snippet: str) -> str:
    """A snippet without the marks that cut it for the index."""
    return snippet.replace(_CUT, "")


def _words(content: Content) -> str:
    if content.kind is ContentKind.MESSAGE:
        return content.text
    if content.kind is ContentKind.COMPLETION:
        return f"{content.prompt}\n{content.response}"
    return "\n".join(f"{turn.speaker}: {turn.text}" for turn in content.turns)


def _indexed(words: str) -> str:
    return _EDGE.sub(_CUT, _NOISE.sub(" ", clean(words)))


def _is_token(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LN" or category in ("Co", "So")

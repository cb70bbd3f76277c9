"""Full-text search over runs."""

from __future__ import annotations

from sqlalchemy import text

from studio.core.run import SearchHit
from studio.store.database import Database
from studio.store.runs import load_runs
from studio.store.schema import RunRow
from studio.store.search_index import CLOSES, OPENS, expression, shown

_SNIPPET_TOKENS = 24
_CONTENT = 2  # its place among the columns of the index


class Search:
    """Finds runs by the words of their content, policy, session, rationale and reasoning."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, query: str, limit: int = 50) -> list[SearchHit]:
        """The runs that hold all words of ``query``, best first; case and accents do not matter.

        The last word may be the beginning of a longer one. No input is an error; one without words finds nothing. A
        hit shows the words in the content where they stand there, and else where they fit best.
        """
        asked = expression(query)
        if not asked:
            return []
        with self._database.read() as session:
            found = session.execute(
                text(
                    "SELECT rowid, snippet(run_search, :content, :opens, :closes, '…', :tokens), "
                    "snippet(run_search, -1, :opens, :closes, '…', :tokens) FROM run_search "
                    "WHERE run_search MATCH :asked ORDER BY rank, rowid DESC LIMIT :limit"
                ),
                {
                    "content": _CONTENT,
                    "opens": OPENS,
                    "closes": CLOSES,
                    "tokens": _SNIPPET_TOKENS,
                    "asked": asked,
                    "limit": limit,
                },
            ).all()
            runs = load_runs(session, RunRow.seq.in_([seq for seq, _, _ in found]))
            return [SearchHit(runs[seq], shown(content if OPENS in content else best)) for seq, content, best in found]

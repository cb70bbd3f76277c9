"""The view of the list: which columns have room, and how the rows stand."""

from __future__ import annotations

from studio.ui.context import Context
from studio.ui.golden.table import CONTENT, LABELS, SOURCE, TAGS, VERDICT, GoldenDelegate, GoldenTable
from studio.ui.widgets.rows_table import RowsTable

_ONLY_EXPECTED = 124
_WIDTHS = {VERDICT: 232, LABELS: 84, TAGS: 110, SOURCE: 150}
_LEAST = {LABELS: 470, TAGS: 640, SOURCE: 780}


class GoldenView(RowsTable):
    """The list of examples."""

    def __init__(self, context: Context, table: GoldenTable) -> None:
        super().__init__(context.theme, table, stretched=CONTENT, widths=_widths(judged=False), least=_LEAST)
        self.setItemDelegate(GoldenDelegate(context.theme, self))
        self.setAccessibleName("Golden examples")

    def set_judged(self, judged: bool) -> None:
        """Make room for what was got, or leave that room to the content."""
        self.set_widths(_widths(judged=judged))


def _widths(*, judged: bool) -> dict[int, int]:
    return _WIDTHS if judged else {**_WIDTHS, VERDICT: _ONLY_EXPECTED}

"""Every action and shortcut of the window, in one table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


class Act(StrEnum):
    """The actions by name."""

    RUN = "run"
    STOP = "stop"
    SAVE_VERSION = "save_version"
    GOLDEN = "golden"
    WRONG = "wrong"
    REPEAT = "repeat"
    WHY = "why"
    LIVE = "live"
    FIND = "find"
    FOLD = "fold"
    FOLD_ALL = "fold_all"
    NEXT_FINDING = "next_finding"
    LAST_FINDING = "last_finding"
    PALETTE = "palette"
    NEW_POLICY = "new_policy"
    OPEN_POLICY = "open_policy"
    EXPORT_POLICY = "export_policy"
    VERSIONS = "versions"
    MATRIX = "matrix"
    SAVE_PACK = "save_pack"
    OPEN_PACK = "open_pack"
    OPEN_FOLDER = "open_folder"
    DETAILS = "details"
    MERGE = "merge"
    SPLIT = "split"
    HIDDEN = "hidden"
    COPY_JSON = "copy_json"
    COPY_TEXT = "copy_text"
    GOLDEN_RUN = "golden_run"
    GOLDEN_STOP = "golden_stop"
    GOLDEN_SAVE = "golden_save"
    GOLDEN_FIND = "golden_find"
    GOLDEN_IMPORT = "golden_import"
    KEYS = "keys"
    QUIT = "quit"
    PAGE_WORKBENCH = "page_workbench"
    PAGE_GOLDEN = "page_golden"
    PAGE_HISTORY = "page_history"
    PAGE_MODELS = "page_models"
    PAGE_SETTINGS = "page_settings"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row: the words, the keys, and the page it belongs to (empty: everywhere)."""

    act: Act
    words: str
    keys: tuple[str, ...] = ()
    page: str = ""


WORKBENCH = "workbench"
GOLDEN = "golden"

TABLE: tuple[ActionSpec, ...] = (
    ActionSpec(Act.RUN, "Run", ("Ctrl+Enter", "Ctrl+Return"), WORKBENCH),
    ActionSpec(Act.STOP, "Stop what runs", ("Esc",), WORKBENCH),
    ActionSpec(Act.LIVE, "Judge while typing, on or off", ("Ctrl+L",), WORKBENCH),
    ActionSpec(Act.SAVE_VERSION, "Save version", ("Ctrl+S",), WORKBENCH),
    ActionSpec(Act.GOLDEN, "Verdict is right: save as golden example", ("Ctrl+G",), WORKBENCH),
    ActionSpec(Act.WRONG, "Verdict is wrong: say what is right", ("Ctrl+Shift+G",), WORKBENCH),
    ActionSpec(Act.REPEAT, "Repeat the judgement five times", ("Ctrl+Shift+R",), WORKBENCH),
    ActionSpec(Act.WHY, "Why: which rule decides", ("Ctrl+Shift+Y",), WORKBENCH),
    ActionSpec(Act.FIND, "Find and replace in the policy", ("Ctrl+F",), WORKBENCH),
    ActionSpec(Act.FOLD, "Fold or unfold the section at the cursor", ("F9",), WORKBENCH),
    ActionSpec(Act.FOLD_ALL, "Fold all sections, or unfold all", ("Shift+F9",), WORKBENCH),
    ActionSpec(Act.NEXT_FINDING, "Next finding of the linter", ("F8",), WORKBENCH),
    ActionSpec(Act.LAST_FINDING, "Finding before", ("Shift+F8",), WORKBENCH),
    ActionSpec(Act.NEW_POLICY, "New policy", ("Ctrl+N",), WORKBENCH),
    ActionSpec(Act.OPEN_POLICY, "Open a policy file", ("Ctrl+O",), WORKBENCH),
    ActionSpec(Act.EXPORT_POLICY, "Save the policy as a file", ("Ctrl+Shift+S",), WORKBENCH),
    ActionSpec(Act.VERSIONS, "Versions: history, changes, what flipped", ("Ctrl+Shift+L",), WORKBENCH),
    ActionSpec(Act.MATRIX, "Judge under several policies", ("Ctrl+M",), WORKBENCH),
    ActionSpec(Act.SAVE_PACK, "Save as a policy pack", (), WORKBENCH),
    ActionSpec(Act.OPEN_PACK, "Open a policy pack", (), WORKBENCH),
    ActionSpec(Act.OPEN_FOLDER, "Bring in a folder of policies", (), WORKBENCH),
    ActionSpec(Act.DETAILS, "Title, tags and jurisdictions", (), WORKBENCH),
    ActionSpec(Act.MERGE, "Merge policies into one", (), WORKBENCH),
    ActionSpec(Act.SPLIT, "Split this policy by its labels", (), WORKBENCH),
    ActionSpec(Act.HIDDEN, "Show hidden characters", ("Ctrl+Shift+H",), WORKBENCH),
    ActionSpec(Act.COPY_JSON, "Copy the verdict as JSON", ("Ctrl+Shift+J",), WORKBENCH),
    ActionSpec(Act.COPY_TEXT, "Copy the verdict as text", ("Ctrl+Shift+C",), WORKBENCH),
    ActionSpec(Act.GOLDEN_RUN, "Run over the golden set", ("Ctrl+Enter", "Ctrl+Return"), GOLDEN),
    ActionSpec(Act.GOLDEN_STOP, "Stop the golden run", ("Esc",), GOLDEN),
    ActionSpec(Act.GOLDEN_SAVE, "Save the edited example", ("Ctrl+S",), GOLDEN),
    ActionSpec(Act.GOLDEN_FIND, "Search the golden set", ("Ctrl+F",), GOLDEN),
    ActionSpec(Act.GOLDEN_IMPORT, "Import labelled examples", ("Ctrl+O",), GOLDEN),
    ActionSpec(Act.PALETTE, "Find anything", ("Ctrl+K",)),
    ActionSpec(Act.PAGE_WORKBENCH, "Go to Workbench", ("Ctrl+1",)),
    ActionSpec(Act.PAGE_GOLDEN, "Go to Golden set", ("Ctrl+2",)),
    ActionSpec(Act.PAGE_HISTORY, "Go to History", ("Ctrl+3",)),
    ActionSpec(Act.PAGE_MODELS, "Go to Models", ("Ctrl+4",)),
    ActionSpec(Act.PAGE_SETTINGS, "Go to Settings", ("Ctrl+5",)),
    ActionSpec(Act.KEYS, "Keys of this page", ("F1", "?", "Shift+?")),
    ActionSpec(Act.QUIT, "Close the studio", ("Ctrl+Q",)),
)


class Actions:
    """The table as Qt actions on the window."""

    def __init__(self, window: QWidget) -> None:
        self._actions: dict[Act, QAction] = {}
        for spec in TABLE:
            action = QAction(spec.words, window)
            action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
            window.addAction(action)
            self._actions[spec.act] = action

    def __getitem__(self, act: Act) -> QAction:
        return self._actions[act]

    def enable_for(self, page: str) -> None:
        """Switch the actions of other pages off, so that their keys do nothing there."""
        for spec in TABLE:
            if spec.page:
                self._actions[spec.act].setEnabled(spec.page == page)

    def rows(self) -> Iterator[tuple[ActionSpec, QAction]]:
        """Every row with its action, in the table's order."""
        for spec in TABLE:
            yield spec, self._actions[spec.act]


def keys_text(act: Act) -> str:
    """The first shortcut of an action as the system writes it; empty when it has none."""
    spec = next(spec for spec in TABLE if spec.act is act)
    return QKeySequence(spec.keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if spec.keys else ""

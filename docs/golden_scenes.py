"""The pictures of the Golden set page, and what the model says in them: right for most examples, wrong for some."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from studio.engine.scripted import ScriptedAnswer
from studio.services.studio import Studio
from studio.ui.golden.import_dialog import ImportDialog
from studio.ui.main_window import MainWindow

SET = Path(__file__).resolve().parents[1] / "policies" / "spam" / "golden.jsonl"
_WRONG_BEFORE, _WRONG_NOW, _ODD = 4, 9, 17
"""Every so manieth example is wrong in the version before, wrong now, and without a verdict."""

_FILE = """\
post_id,text,verdict,who,reason
p-101,"Follow me and I follow back, every day",spam,rk,trades follows
p-102,"The library on Elm Street opens at nine",ok,rk,
p-103,"You were drawn for a voucher, send your card details",spam,mb,a lure
p-104,"Is the market thread for stickers too?",ok,mb,
p-105,"My channel, my channel, my channel",unsure,rk,bulk or clumsy
"""


class Stage(Protocol):
    """What is needed of the stage of the other pictures."""

    studio: Studio
    window: MainWindow

    def wait(self, until: Callable[[], object]) -> None:
        """Let the window work until something holds."""

    def settle(self) -> None:
        """Let everything that was begun end."""


def golden_answers(harmony: Callable[[str, str], str]) -> tuple[ScriptedAnswer, ...]:
    """Two answers for each example of the spam set: the first for the version before, the second for the one now."""
    made = []
    for number, line in enumerate(SET.read_text("utf-8").splitlines()):
        row = json.loads(line)
        text = row.get("content") or (row.get("messages") or [{}])[0].get("content") or row.get("prompt", "")
        for every, odd in ((_WRONG_BEFORE, _ODD), (_WRONG_NOW, 2 * _ODD)):
            said = _answer(row, wrong=number % every == 1, odd=number % odd == 3)
            made.append(ScriptedAnswer(match=text.split("\n")[0][:60], text=harmony(*said)))
    return tuple(made)


def _answer(row: dict[str, Any], *, wrong: bool, odd: bool) -> tuple[str, str]:
    if odd:
        return "It may be one thing or the other; the policy does not say which.", "I think it depends."
    violates = (row["expected"] == "violates") is not wrong
    label = (row.get("labels") or ["SP0"])[0] if not wrong else "SP2" if violates else "SP0"
    thought = f"What is written here is weighed under {label}. {label}.a describes it, and no other rule fits better."
    found = {"violation": int(violates), "policy_category": label, "rule_ids": [f"{label}.a"],
             "rationale": f"It is what {label} describes."}  # fmt: skip
    return thought, json.dumps(found)


def golden_pictures(stage: Stage, take: Callable[[str], None], home: Path) -> None:
    """All pictures of the page: before the first run, compared, scored, filtered, charted, and an import."""
    window, page = stage.window, stage.window.golden
    policy = stage.studio.policies.get("spam").policy
    stage.studio.policies.save(
        replace(
            policy, text=policy.text + "\n- SP2.z: the same words under several posts\n", targets=(("recall", 0.9),)
        ),
        message="Name repeated comments",
    )
    window.go_to("golden")
    stage.settle()
    page.bar.policy.pick("spam")
    stage.settle()
    take("golden-first")
    page.bar.before.choose(1)
    page.run()
    stage.wait(lambda: not page.work.running)
    stage.settle()
    page.detail.tabs.setCurrentIndex(1)
    stage.settle()
    take("golden-compare")
    page.detail.tabs.setCurrentIndex(0)
    page.bar.before.pick("")
    stage.settle()
    take("golden")
    page.results.tabs.setCurrentIndex(1)
    take("golden-labels")
    page.results.tabs.setCurrentIndex(2)
    stage.wait(lambda: page.results.charts.currentIndex() == 1)
    stage.settle()
    take("golden-charts")
    page.results.tabs.setCurrentIndex(0)
    stage.studio.golden_care.hold_out("spam", 0.2)
    page.read()
    stage.settle()
    page.filters.held_out.click()
    stage.settle()
    take("golden-held-out")
    page.filters.held_out.click()
    _import_picture(stage, take, home / "queue.csv")


def _import_picture(stage: Stage, take: Callable[[str], None], path: Path) -> None:
    path.write_text(_FILE, encoding="utf-8")
    window = stage.window
    dialog = ImportDialog(window._context, stage.studio.policies.get("spam").policy, path, window)
    stage.wait(lambda: dialog.preview is not None and not dialog.busy)
    dialog.show()
    take("golden-import")
    dialog.reject()
    dialog.deleteLater()

"""Makes the pictures of the window in docs/screenshots, without a screen.

    python docs/screenshots.py [--out FOLDER] [--only NAME] [--all-sizes]

The pictures show the real window over the real services, in a workspace of their own. Those of bench_scenes show the
shipped demo model at work; in all others what the model says is scripted: see SCRIPT. Which are kept, and which of them
in dark too, is said in ASIDE and DARK; ``--all-sizes`` writes every one, in both themes and two sizes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QCursor, QImage, QPainter, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from docs.bench_scenes import demo_pictures
from docs.golden_scenes import golden_answers, golden_pictures
from studio import settings
from studio.app import build_window
from studio.core.content import Content
from studio.core.labels import Decision
from studio.core.run import Run
from studio.engine.client import EngineClient
from studio.engine.scripted import Script, ScriptedAnswer
from studio.services.studio import Studio
from studio.ui.main_window import MainWindow
from studio.ui.theme import Theme

ROOT = Path(__file__).resolve().parents[1]
# Its parent stands for the user's own folder in the pictures, so that they show no machine's paths.
HOME = ROOT / "build" / "Moderation Studio"
SIZES = {"": (1280, 800), "-wide": (1920, 1080)}
DARK = frozenset(
    (
        "workbench",
        "thinking",
        "demo",
        "why",
        "versions",
        "history",
        "models",
        "settings",
        "golden-compare",
        "golden-charts",
    )
)
ASIDE = frozenset(("empty", "golden-first", "golden-labels", "history-search", "stale"))
MODEL = "gpt-oss-safeguard-20b (scripted)"
PRIZE = (
    "Congratulations, your number was drawn! You have been selected to receive a 500 € shopping card. "
    "Claim it within 24 hours at shop-card-claim.example and keep your card details at hand."
)
BAKERY = "My sister opened a bakery on Mill Street last week. The rye bread alone is worth the walk."
ARABIC = (
    "مبروك! لقد تم اختيار رقمك للحصول على بطاقة تسوق بقيمة 500 يورو.\n\n"
    "سجل خلال 24 ساعة على shop-card-claim.example واحتفظ ببيانات بطاقتك جاهزة.\n\n"
    "This line is in English, and the next one in Hebrew.\n\n"
    "ברכות, המספר שלך עלה בגורל. יש למסור את פרטי הכרטיס."
)
STICKERS = "Is it fine to sell my own stickers here, or only in the market thread? Asking before I post."
FOLLOWERS = "f0llow 4 f0llow, I always follow b\u200back. Drop your n\u200bame below"


def harmony(reasoning: str, answer: str) -> str:
    """An answer as the model writes it."""
    return (
        f"<|channel|>analysis<|message|>{reasoning}<|end|>"
        f"<|start|>assistant<|channel|>final<|message|>{answer}<|return|>"
    )


LURE = (
    "The post tells the reader that a number was drawn and that a shopping card waits. Nothing shows that the reader "
    "took part in anything, so the prize is invented. It sets a deadline of 24 hours and asks for card details.\n\n"
    "SP4.b covers advance-fee offers and false prizes. SP2 is about promotion without deception, so it is weaker here. "
    "SP4.b decides. SP7.c might also apply to the deadline.\n\n"
    "The label is SP4."
)
SCRIPT = Script(
    name=MODEL,
    answers=(
        ScriptedAnswer(
            match="Congratulations",
            text=harmony(
                LURE,
                '{"violation": 1, "policy_category": "SP4", "rule_ids": ["SP4.b"], "rationale": "The post promises a '
                'prize that nobody entered for, presses with a deadline and asks for card details: a lure for money."}',
            ),
        ),
        ScriptedAnswer(
            match="bakery",
            text=harmony(
                "A recommendation by a relative, once, with a place and a reason. SP0.a covers it.",
                '{"violation": 0, "policy_category": "SP0", "rule_ids": ["SP0.a"], "rationale": "A single honest '
                'recommendation of a shop by a relative is not spam."}',
            ),
        ),
        ScriptedAnswer(
            match="f0llow",
            text=harmony(
                "Traded follows, and letters swapped for digits to pass filters.",
                '{"violation": 1, "policy_category": "SP3", "rule_ids": ["SP3.a"], "rationale": "It trades follows and '
                'hides the words from filters."}',
            ),
        ),
        ScriptedAnswer(
            match="voucher",
            text=harmony(
                "It may be an honest voucher between friends, or a chain message. The text alone does not tell.",
                '{"violation": 0, "policy_category": "SP9", "rule_ids": ["SP9.a"], "rationale": "Too little context to '
                'tell a gift from a chain message."}',
            ),
        ),
        ScriptedAnswer(
            match="مبروك",
            text=harmony(
                "The post is in Arabic. It says that the reader's number was drawn for a card, which is a false prize. "
                "SP4.b applies.",
                '{"violation": 1, "policy_category": "SP4", "rule_ids": ["SP4.b"], "rationale": "يعد المنشور بجائزة لم '
                'يشارك فيها أحد ويطلب بيانات البطاقة."}',
            ),
        ),
        ScriptedAnswer(
            match="stickers",
            text=harmony(
                "A question about the rules of the forum, with no offer in it. SP0.a may cover it.",
                "I think this is mostly fine, but it depends.",
            ),
        ),
        ScriptedAnswer(
            match="tickets",
            text=harmony(
                "One concrete listing at face value, with a place to meet. SP0.c covers it.",
                '{"violation": 0, "policy_category": "SP0", "rule_ids": ["SP0.c"], "rationale": "A single concrete '
                'listing between people."}',
            ),
        ),
        ScriptedAnswer(
            match="meeting",
            text=harmony(
                "An ordinary reply in a conversation.",
                '{"violation": 0, "policy_category": "SP0", "rule_ids": [], "rationale": "An ordinary reply."}',
            ),
        ),
    ),
)
# At a pace that a model might have, so that the window does not tell of a miracle.
SCRIPT = replace(SCRIPT, answers=tuple(replace(answer, pace_s=0.004) for answer in SCRIPT.answers))
SLOW = replace(SCRIPT, answers=(ScriptedAnswer(match="", text=harmony(LURE * 4, "{}"), pace_s=0.012),))


class Stage:
    """A window to take pictures of."""

    def __init__(self, theme: Theme, script: Script | None, home: Path) -> None:
        os.environ["HOME"] = os.environ["USERPROFILE"] = str(home.parent)
        os.environ["MODERATION_STUDIO_HOME"] = str(home)
        os.environ["LOGNAME"] = "ana"
        shutil.rmtree(home, ignore_errors=True)
        self.studio = Studio.open(home / "data" / "Community forum.studio", engine=EngineClient(script=script))
        self.window: MainWindow = build_window(theme, self.studio, settings.Loaded(settings.Settings()))
        self.window.show()
        self.wait(lambda: self.window.workbench.is_ready and self.studio.models.info is not None)

    def wait(self, until: Callable[[], object]) -> None:
        """Let the window work until something holds."""
        for _ in range(6000):
            if until():
                return
            QTest.qWait(20)
        raise TimeoutError("the window did not get there")

    def settle(self) -> None:
        """Let everything that was begun end."""
        self.wait(lambda: self.window.tasks.idle)
        QTest.qWait(250)

    def open_policy(self, policy_id: str) -> None:
        """Open a policy on the Workbench."""
        bench = self.window.workbench
        bench.open_policy(policy_id)
        self.wait(lambda: bench.policy.document.policy.id == policy_id)
        self.settle()

    def judge(self, content: Content) -> None:
        """Run one content to its end."""
        bench = self.window.workbench
        bench.content.show_content(content)
        bench.run()
        self.wait(lambda: not bench.runner.running)
        self.settle()


def seed(studio: Studio) -> None:
    """Runs of an afternoon, for the History."""
    policies = {p.id: studio.policies.open(p.id) for p in studio.policies.list()}
    spam = policies["spam"]
    monday = studio.sessions.create("Monday queue")
    contents = [
        BAKERY,
        "Anyone else get this voucher? Send it on to five people and it becomes valid.",
        FOLLOWERS,
        "Selling two concert tickets for Friday, face value, collect in person.",
        "Here is the summary of the meeting you asked for.",
        STICKERS,
    ]
    for content in contents:
        studio.judge.judge(spam, Content.message(content), session_id=monday.id)
    ours: list[Run] = studio.sessions.runs(session_id=monday.id)
    studio.golden.add_from_run(ours[0], expected=Decision.ALLOWED)


def workbench_pictures(stage: Stage, take: Callable[[str], None]) -> None:
    window, bench = stage.window, stage.window.workbench
    stage.open_policy("spam")
    bench.verdict.show_empty()
    bench.content.show_content(Content.message(PRIZE))
    take("empty")
    stage.judge(Content.message(PRIZE))
    bench.policy.go_to_rule("SP4")
    QTest.qWait(1800)
    take("workbench")
    bench.verdict.repeat()
    stage.wait(lambda: not bench.verdict.repeats.running)
    stage.settle()
    take("repeats")
    stage.judge(Content.message(ARABIC))
    take("rtl")
    stage.judge(Content.message(STICKERS))
    take("no-verdict")
    bench.content.kind.choose(bench.content.kind.value)
    bench.policy.tabs.setCurrentWidget(bench.policy.labels)
    bench.content.show_content(Content.message(FOLLOWERS))
    bench.content.hidden.setChecked(True)
    stage.settle()
    take("stale")
    bench.content.hidden.setChecked(False)
    bench.policy.tabs.setCurrentWidget(bench.policy.prompt)
    stage.judge(Content.message(BAKERY))
    take("prompt")
    window.go_to("history")
    stage.wait(lambda: window.history.detail.run is not None)
    stage.settle()
    take("history")
    window.history.search.setText("card")
    QTest.qWait(300)
    stage.settle()
    take("history-search")
    window.go_to("settings")
    stage.settle()
    take("settings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "screenshots")
    parser.add_argument("--only", default="")
    parser.add_argument("--themes", default="light,dark")
    parser.add_argument("--all-sizes", action="store_true")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    QCursor.setPos(10_000, 10_000)  # so that no button looks pointed at
    theme = Theme(app)
    for name in chosen.themes.split(","):
        picture_theme(theme, name, chosen)
    shutil.rmtree(HOME, ignore_errors=True)


def picture_of(window: MainWindow) -> QImage:
    """The window with what is open over it; a dialog in its middle, where a desktop would put it."""
    picture = window.grab()
    painter = QPainter(picture)
    for other in QApplication.topLevelWidgets():
        if other is not window and other.isVisible():
            middle = window.rect().center() - other.rect().center()
            place = middle if isinstance(other, QDialog) else window.mapFromGlobal(other.pos())
            painter.drawPixmap(place, other.grab())
            painter.setPen(other.palette().color(QPalette.ColorRole.Mid))
            painter.drawRect(other.rect().translated(place))
    painter.end()
    return picture.toImage().convertToFormat(QImage.Format.Format_RGB888)


def picture_theme(theme: Theme, name: str, chosen: argparse.Namespace) -> None:
    """All pictures in light or in dark."""
    theme.choose(settings.Theme(name), None)
    stage = Stage(theme, SCRIPT, HOME)
    stage.window.resize(*SIZES[""])

    def take(what: str, size: str = "") -> None:
        kept = chosen.all_sizes or (what in DARK if name == "dark" else what not in ASIDE)
        if kept and what.startswith(chosen.only):
            stage.window.resize(*SIZES[size])
            QTest.qWait(200)
            picture = picture_of(stage.window)
            picture.save(str(chosen.out / f"{what}-{name}{size}.png"), "PNG", 0)  # type: ignore[call-overload]  # the stubs want bytes, the binding a str; 0 packs tightest
            if size == "" and chosen.all_sizes:
                take(what, "-wide")
                stage.window.resize(*SIZES[""])

    seed(stage.studio)
    workbench_pictures(stage, take)
    stage.window.close()
    stage = Stage(theme, Script(name=MODEL, answers=golden_answers(harmony)), HOME)
    stage.window.resize(*SIZES[""])
    golden_pictures(stage, take, HOME)
    stage.window.close()
    stage = Stage(theme, SLOW, HOME)
    stage.window.resize(*SIZES[""])
    stage.open_policy("spam")
    stage.window.workbench.content.show_content(Content.message(PRIZE))
    stage.window.workbench.run()
    stage.wait(lambda: len(stage.window.workbench.verdict.card.reasoning.view.text) > 400)
    take("thinking")
    stage.window.close()
    stage = Stage(theme, None, HOME)
    stage.window.resize(*SIZES[""])
    stage.settle()
    demo_pictures(stage, take)
    stage.window.close()


if __name__ == "__main__":
    main()

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from studio.core.policy import ContentKind
from studio.ui.widgets.file_drop import FileDrop
from tests.ui.conftest import POLICY_TEXT, Opener, Stage


def titles(stage: Stage) -> list[str]:
    return [banner.notice.title for banner in stage.window.banners.banners]


def carried(*files: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return mime


def drop(target: QWidget, *files: Path) -> None:
    """Drag files over a widget and let them fall."""
    mime, at = carried(*files), QPointF(target.rect().center())
    copy, left, held = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(at.toPoint(), copy, mime, left, held)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    sign = target.findChild(FileDrop)
    assert sign is not None
    assert sign.sign.isVisible()  # it says what would become of the file
    QApplication.sendEvent(target, QDropEvent(at, copy, mime, left, held))
    assert not sign.sign.isVisible()


def test_a_policy_file_dropped_on_the_editor_is_opened(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    file = tmp_path / "House rules.md"
    file.write_text(POLICY_TEXT, encoding="utf-8")

    drop(stage.bench.policy, file)

    stage.until(lambda: stage.bench.policy.document.policy.text == POLICY_TEXT)
    assert not stage.bench.policy.editor.canInsertFromMimeData(carried(file))  # it goes to the pane around it


def test_contents_dropped_are_shown_as_what_they_are(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    pane = stage.bench.content
    plain = tmp_path / "post.txt"
    plain.write_bytes("You have \u200bwon\r\n".encode())
    turns = tmp_path / "talk.json"
    turns.write_text('[{"speaker": "A", "text": "hello"}, {"speaker": "B", "text": "hi"}]', encoding="utf-8")

    drop(pane, plain)
    stage.until(lambda: pane.message.exact_text() == "You have \u200bwon\r\n")
    drop(pane, turns)
    stage.until(lambda: pane.kind.value is ContentKind.CONVERSATION)

    assert [turn.text for turn in pane.conversation.turns] == ["hello", "hi"]


def test_what_cannot_be_read_is_refused_in_words_and_nothing_is_lost(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    stage.open_spam()
    stage.show("mine")
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")

    drop(stage.bench.content, picture)
    stage.until(lambda: stage.window.banners.banners)
    assert "cat.png is not a text file." in stage.window.banners.banners[0].notice.message
    drop(stage.bench.policy, picture)
    stage.until(lambda: len(stage.window.banners.banners) == 2)
    drop(stage.bench.content, picture, picture)
    stage.until(lambda: "One file at a time" in titles(stage))
    drop(stage.bench.content, tmp_path)
    stage.until(lambda: "could not be read" in stage.window.banners.banners[0].notice.message)

    assert stage.bench.content.message.exact_text() == "mine"
    assert stage.bench.policy.editor.exact_text() == POLICY_TEXT


def test_a_dropped_file_that_is_no_model_is_refused(open_window: Opener, tmp_path: Path) -> None:
    stage = open_window()
    stage.window.go_to("models")
    stage.settle()
    file = tmp_path / "holiday.gguf"
    file.write_bytes(b"not a model at all")

    drop(stage.window.models, file)

    stage.until(lambda: titles(stage) == ["This model file cannot be used"])


def test_words_that_are_dragged_are_left_to_the_editor(open_window: Opener) -> None:
    stage = open_window()
    mime = QMimeData()
    mime.setText("some words")

    assert stage.bench.policy.editor.canInsertFromMimeData(mime)

"""The form for a model on servers: their addresses, its name there, the key, certificates, and what to call it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QGridLayout, QLineEdit, QProgressBar, QWidget

from studio.core.errors import StudioError
from studio.services.remotes import Draft, RemoteModel
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label
from studio.ui.widgets.controls import Segments

_WIDTH, _MARGINS = 600, 48
_WHAT = (
    "llama-server, vLLM or Ollama on a machine of your own network. Connecting asks the server what it is; policy and "
    "content are sent to it only when you judge with it."
)
_NO_RING = "This system has no keyring that is safe, and the studio writes no key into a file. Name a variable instead."


class KeyPlace(StrEnum):
    """Where the key of a server is."""

    NONE = "none"
    KEYRING = "keyring"
    VARIABLE = "variable"


_PLACES = {KeyPlace.NONE: "None", KeyPlace.KEYRING: "In the keyring", KeyPlace.VARIABLE: "In a variable"}
_PLACE_WORDS = {
    KeyPlace.NONE: "The server asks for no key.",
    KeyPlace.KEYRING: "The system keeps the key. It is in no file of the studio, no log, no bundle and no export.",
    KeyPlace.VARIABLE: "Of the environment that the studio is started in. The key itself is stored nowhere.",
}


class ServerForm(QDialog):
    """Adds a remote model, or edits ``remote``. ``connect_wanted`` carries the Draft; closing it gives up."""

    connect_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget, remote: RemoteModel | None = None) -> None:
        super().__init__(parent)
        self._remote, self._ring = remote, True
        words = "Edit the server" if remote else "Add a server"
        self.setWindowTitle(words)
        theme.dress(self)
        self.urls = _line("Addresses", "http://server:8000   several with a blank between them")
        self.model = QComboBox()
        self.model.setEditable(True)
        self.model.setAccessibleName("Model there")
        self.key_place = Segments(_PLACES, "Key")
        self.key = _line("Key of the server", "")
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.variable = _line("Environment variable that holds the key", "such as TEAM_KEY")
        self._key_words = text_label("", "small", wrap=True)
        self.ca = _line("Certificates", "only where the server's own authority is not known to the system")
        self._browse = push_button(theme, "Choose", act=self._choose_ca, tip="A file of certificates in PEM form")
        self._browse.setAccessibleName("Choose a file of certificates")
        self.name = _line("Name here", "as the model is called there")
        self.failure = text_label("", "warn", wrap=True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Connecting")
        self.take = push_button(theme, "Connect and save" if remote else "Connect and add", "primary", act=self._take)
        self.take.setDefault(True)
        self._fields = QWidget()
        self._lay_out(theme, words)
        self._fill()
        self.urls.textChanged.connect(lambda _text: self._check())
        self.key_place.chosen.connect(self._show_place)
        self._check()

    def set_keyring(self, there: bool) -> None:
        """Say whether this system has a keyring."""
        self._ring = there
        self._show_place(self.key_place.value)

    def show_connecting(self, connecting: bool) -> None:
        """Show that the servers are being asked, and take no more typing meanwhile."""
        self.bar.setVisible(connecting)
        self._fields.setEnabled(not connecting)
        if connecting:
            self.failure.hide()
        self._check()
        self._fit()

    def show_failure(self, error: Exception) -> None:
        """Say what went wrong; what was typed stays. Models that the server offers can be chosen."""
        self.show_connecting(False)
        words = f"{type(error).__name__}: {error}"
        if isinstance(error, StudioError):
            words = f"{error.title}. {error.message} {error.hint}"
        self.failure.setText(words.strip())
        self.failure.show()
        offered = [str(name) for name in getattr(error, "offered", ())]
        if offered:
            typed = self.model.currentText()
            self.model.clear()
            self.model.addItems(offered)
            self.model.setCurrentText(typed or offered[0])
        (self.model if offered else self.urls).setFocus(Qt.FocusReason.OtherFocusReason)
        self._fit()

    @property
    def draft(self) -> Draft:
        """What was typed."""
        place, ca = self.key_place.value, self.ca.text().strip()
        in_ring = place is KeyPlace.KEYRING
        kept = self._remote.id if self._remote is not None and self._remote.key_kept else ""
        key = self.key.text().strip() if in_ring else ""
        return Draft(
            urls=self.urls.text().replace(",", " ").split(),
            model=self.model.currentText().strip(),
            key=key,
            key_env=self.variable.text().strip() if place is KeyPlace.VARIABLE else "",
            key_of=kept if in_ring and not key else "",
            ca=Path(ca) if ca else None,
            name=self.name.text().strip(),
        )

    def _take(self) -> None:
        self.connect_wanted.emit(self.draft)

    def _check(self) -> None:
        lacking = self.key_place.value is KeyPlace.KEYRING and not self._ring
        self.take.setEnabled(bool(self.urls.text().strip()) and self.bar.isHidden() and not lacking)

    def _show_place(self, place: KeyPlace) -> None:
        lacking = place is KeyPlace.KEYRING and not self._ring
        self.key.setVisible(place is KeyPlace.KEYRING and self._ring)
        self.variable.setVisible(place is KeyPlace.VARIABLE)
        self._key_words.setText(_NO_RING if lacking else _PLACE_WORDS[place])
        self._check()
        self._fit()

    def _fit(self) -> None:
        """Be as high as what is shown needs, once it is laid out."""
        width = self.width() - _MARGINS
        for words, room in ((self.failure, width), (self._key_words, self.urls.width())):
            words.setMinimumHeight(max(words.heightForWidth(room), 0))
        QTimer.singleShot(0, self, self.adjustSize)

    def _choose_ca(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Certificates to trust", "", "Certificates (*.pem *.crt *.cer)")
        if path:
            self.ca.setText(path)

    def _fill(self) -> None:
        remote, place = self._remote, KeyPlace.NONE
        if remote is not None:
            self.urls.setText("  ".join(remote.urls))
            self.model.setEditText(remote.model)
            self.variable.setText(remote.key_env)
            self.ca.setText(str(remote.ca or ""))
            self.name.setText(remote.name)
            place = KeyPlace.VARIABLE if remote.key_env else place
            if remote.key_kept:
                place = KeyPlace.KEYRING
                self.key.setPlaceholderText("Kept. Type another to replace it.")
        line = self.model.lineEdit()
        if line is not None:
            line.setPlaceholderText("only where the server has several")
        self.key_place.choose(place)
        self._show_place(place)

    def _lay_out(self, theme: Theme, words: str) -> None:
        certificates, key = QWidget(), QWidget()
        both = row(self.ca, self._browse)
        both.setStretch(0, 1)
        certificates.setLayout(both)
        place = row(self.key_place, None)
        whole = column(self.key, self.variable, self._key_words, spacing=6)
        whole.insertLayout(0, place)
        key.setLayout(whole)
        grid = QGridLayout(self._fields)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(1, 1)
        rows = {"Addresses": self.urls, "Model there": self.model, "Key": key, "Certificates": certificates}
        for number, (name, field) in enumerate({**rows, "Name here": self.name}.items()):
            label = text_label(name)
            label.setBuddy(field)
            grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop if field is key else Qt.AlignmentFlag(0))
            grid.addWidget(field, number, 1)
        self.failure.hide()
        self.bar.hide()
        layout = column(text_label(words, "lead"), text_label(_WHAT, "quiet", wrap=True), 8, self._fields, 4,
                        self.failure, self.bar, 8, spacing=8, margins=(24, 24, 24, 16))  # fmt: skip
        layout.addLayout(row(None, push_button(theme, "Cancel", act=self.reject), self.take))
        self.setLayout(layout)
        self.setFixedWidth(theme.scale.px(_WIDTH))


def _line(name: str, hint: str) -> QLineEdit:
    line = QLineEdit()
    line.setAccessibleName(name)
    line.setPlaceholderText(hint)
    return line

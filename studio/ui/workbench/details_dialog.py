"""What a policy is called and where it belongs: title, summary, tags and jurisdictions."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from studio.core.policy import Policy
from studio.ui.theme import Theme
from studio.ui.widgets.basics import column, push_button, row, text_label


class DetailsDialog(QDialog):
    """Edits the details of a policy that change no judgement."""

    def __init__(self, theme: Theme, parent: QWidget, policy: Policy) -> None:
        super().__init__(parent)
        self.setWindowTitle("About this policy")
        self.title = QLineEdit(policy.title)
        self.summary = QLineEdit(policy.summary)
        self.tags = QLineEdit(", ".join(policy.tags))
        self.jurisdictions = QLineEdit(", ".join(policy.jurisdictions))
        self.tags.setPlaceholderText("such as: commerce, children")
        self.jurisdictions.setPlaceholderText("such as: EU, DE")
        self._take = push_button(theme, "Keep", "primary", act=self.accept)
        self._take.setDefault(True)
        layout = column(text_label("About this policy", "lead"), spacing=8, margins=(24, 24, 24, 16))
        for name, line in (
            ("Title", self.title),
            ("Summary", self.summary),
            ("Tags, with commas between", self.tags),
            ("Jurisdictions, with commas between", self.jurisdictions),
        ):
            line.setAccessibleName(name)
            line.setCursorPosition(0)  # a long text is read from its beginning
            layout.addWidget(text_label(name, "quiet"))
            layout.addWidget(line)
        self.title.end(False)
        layout.addSpacing(8)
        layout.addLayout(row(None, push_button(theme, "Cancel", act=self.reject), self._take))
        self.setLayout(layout)
        self.setMinimumWidth(theme.scale.px(560))
        self.title.textChanged.connect(lambda words: self._take.setEnabled(bool(words.strip())))

    @property
    def fields(self) -> dict[str, object]:
        """The details as they stand there now, by the policy's names for them."""
        return {
            "title": self.title.text().strip(),
            "summary": self.summary.text().strip(),
            "tags": _listed(self.tags.text()),
            "jurisdictions": _listed(self.jurisdictions.text()),
        }


def _listed(words: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for part in words.split(",") if (word := part.strip())))

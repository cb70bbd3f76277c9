"""The style sheet, written from the tokens. Widgets choose a variant by the property ``kind``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from studio.ui.tokens import Tokens


def stylesheet(t: Tokens, px: Callable[[int], int], glyphs: Mapping[str, str]) -> str:
    """The application's style sheet. ``px`` scales a size of the type scale, ``glyphs`` are picture files by name."""
    return "\n".join((_base(t, px), _buttons(t, px), _fields(t, px, glyphs), _views(t, px, glyphs), _frames(t, px)))


def _base(t: Tokens, px: Callable[[int], int]) -> str:
    return f"""
* {{ font-size: {px(13)}px; }}
QMainWindow, QDialog, QWidget#page {{ background: {t.window}; }}
QLabel {{ background: transparent; color: {t.text}; }}
QLabel:disabled {{ color: {t.text_quiet}; }}
QLabel[kind="quiet"] {{ color: {t.text_quiet}; }}
QLabel[kind="small"] {{ color: {t.text_quiet}; font-size: {px(12)}px; }}
QLabel[kind="lead"] {{ font-size: {px(15)}px; font-weight: 600; }}
QLabel[kind="title"] {{ font-size: {px(20)}px; font-weight: 600; }}
QLabel[kind="section"] {{ font-weight: 600; }}
QLabel[kind="warn"] {{ color: {t.review.text}; font-size: {px(12)}px; }}
QLabel[kind="chip"] {{
  background: {t.sunken}; color: {t.text_quiet}; border-radius: 4px; padding: 1px 6px; font-size: {px(12)}px;
}}
QLabel[kind="better"] {{ color: {t.allowed.text}; font-size: {px(12)}px; font-weight: 600; }}
QLabel[kind="worse"] {{ color: {t.violates.text}; font-size: {px(12)}px; font-weight: 600; }}
QLabel[kind="change"] {{ border-radius: 6px; padding: 2px 8px; font-weight: 600; background: {t.none.soft}; }}
QLabel[kind="change"][change="better"] {{ background: {t.allowed.soft}; color: {t.allowed.text}; }}
QLabel[kind="change"][change="worse"] {{ background: {t.violates.soft}; color: {t.violates.text}; }}
QLabel[kind="fit"] {{
  background: {t.none.soft}; color: {t.none.text}; border-radius: 6px; padding: 2px 8px; font-weight: 600;
}}
QLabel[kind="fit"][tone="good"] {{ background: {t.allowed.soft}; color: {t.allowed.text}; }}
QLabel[kind="fit"][tone="part"] {{ background: {t.review.soft}; color: {t.review.text}; }}
QLabel[kind="fit"][tone="bad"] {{ background: {t.violates.soft}; color: {t.violates.text}; }}
QToolTip {{ background: {t.tip}; color: {t.on_tip}; border: 0; padding: 4px 8px; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: 6px; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; color: {t.text}; }}
QMenu::item:selected {{ background: {t.accent_soft}; }}
QMenu::item:disabled {{ color: {t.text_disabled}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {t.line_strong}; border-radius: 3px; margin: 3px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {t.sunken}; border: 0; border-radius: 3px; max-height: 6px; min-height: 6px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
"""


def _buttons(t: Tokens, px: Callable[[int], int]) -> str:
    return f"""
QPushButton, QToolButton {{
  background: {t.raised}; color: {t.text}; border: 1px solid {t.line_strong}; border-radius: 6px;
  padding: 5px 11px; min-height: {px(18)}px;
}}
QPushButton:hover, QToolButton:hover {{ background: {t.sunken}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {t.accent_soft}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {t.accent}; padding: 4px 10px; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.text_disabled}; border-color: {t.line}; }}
QPushButton[kind="primary"] {{
  background: {t.accent}; color: {t.on_accent}; border: 1px solid {t.accent}; font-weight: 600;
}}
QPushButton[kind="primary"]:hover {{ background: {t.accent_hover}; border-color: {t.accent_hover}; }}
QPushButton[kind="primary"]:focus {{ border: 2px solid {t.text}; padding: 4px 10px; }}
QPushButton[kind="primary"]:disabled {{
  background: {t.sunken}; color: {t.text_disabled}; border-color: {t.line};
}}
QToolButton[kind="quiet"], QPushButton[kind="quiet"] {{ background: transparent; border-color: transparent; }}
QToolButton[kind="quiet"]:hover, QPushButton[kind="quiet"]:hover {{ background: {t.sunken}; }}
QToolButton[kind="quiet"]:checked, QPushButton[kind="quiet"]:checked {{ background: {t.accent_soft}; }}
QToolButton[kind="quiet"]:focus, QPushButton[kind="quiet"]:focus {{ border: 2px solid {t.accent}; }}
QToolButton[kind="icon"] {{ background: transparent; border-color: transparent; padding: 5px; }}
QToolButton[kind="icon"]:hover {{ background: {t.sunken}; }}
QToolButton[kind="icon"]:checked {{ background: {t.accent_soft}; color: {t.accent}; }}
QToolButton[kind="icon"]:focus {{ border: 2px solid {t.accent}; padding: 4px; }}
QToolButton::menu-indicator {{ image: none; width: 0; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QPushButton[kind="link"] {{
  background: transparent; border: 1px solid transparent; color: {t.accent}; padding: 1px 3px; min-height: 0;
  text-decoration: underline;
}}
QPushButton[kind="link"]:focus {{ border: 2px solid {t.accent}; padding: 0 2px; }}
QPushButton[kind="segment"] {{
  background: transparent; border: 1px solid transparent; color: {t.text_quiet}; padding: 3px 11px; border-radius: 5px;
}}
QPushButton[kind="segment"]:hover {{ color: {t.text}; }}
QPushButton[kind="segment"]:checked {{ background: {t.raised}; color: {t.text}; border-color: {t.line_strong}; }}
QPushButton[kind="segment"]:focus {{ border: 2px solid {t.accent}; padding: 2px 10px; }}
QPushButton[kind="filter"] {{ border-radius: {px(16) // 2 + 3}px; padding: 3px 11px; min-height: {px(16)}px; }}
QPushButton[kind="fold"] {{
  background: transparent; border: 1px solid transparent; padding: 2px 5px 2px 0; text-align: left; font-weight: 600;
}}
QPushButton[kind="fold"]:hover {{ color: {t.accent}; }}
QPushButton[kind="fold"]:focus {{ border: 2px solid {t.accent}; padding: 1px 4px 1px 0; }}
QLineEdit QToolButton, QLineEdit QToolButton:hover {{ background: transparent; border: 0; padding: 0; min-height: 0; }}
QPushButton[kind="filter"]:checked {{ background: {t.accent_soft}; border-color: {t.accent}; }}
QPushButton[kind="filter"]:focus {{ border: 2px solid {t.accent}; padding: 2px 10px; }}
QToolButton[kind="rail"] {{
  background: transparent; border: 2px solid transparent; border-radius: 8px; padding: 6px 2px; color: {t.text_quiet};
  font-size: {px(12)}px;
}}
QToolButton[kind="rail"]:hover {{ background: {t.sunken}; color: {t.text}; }}
QToolButton[kind="rail"]:checked {{ background: {t.accent_soft}; color: {t.accent}; }}
QToolButton[kind="rail"]:focus {{ border: 2px solid {t.accent}; padding: 6px 2px; }}
"""


def _fields(t: Tokens, px: Callable[[int], int], glyphs: Mapping[str, str]) -> str:
    return f"""
QLineEdit, QPlainTextEdit, QTextBrowser, QTextEdit, QSpinBox, QDateEdit, QComboBox {{
  background: {t.surface}; color: {t.text}; border: 1px solid {t.line_strong}; border-radius: 6px; padding: 5px 8px;
  selection-background-color: {t.accent_soft}; selection-color: {t.text};
}}
QLineEdit, QSpinBox, QDateEdit, QComboBox {{ min-height: {px(18)}px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextBrowser:focus, QTextEdit:focus, QSpinBox:focus, QDateEdit:focus,
QComboBox:focus {{ border: 2px solid {t.accent}; padding: 4px 7px; }}
QLineEdit:disabled, QSpinBox:disabled, QDateEdit:disabled, QComboBox:disabled {{
  color: {t.text_disabled}; border-color: {t.line};
}}
QPlainTextEdit[kind="flat"], QTextBrowser[kind="flat"] {{
  border: 1px solid transparent; border-radius: 0; padding: 4px 6px; background: {t.surface};
}}
QTextBrowser[kind="reading"] {{
  border: 1px solid transparent; border-radius: 4px; padding: 1px; background: {t.surface};
}}
QPlainTextEdit[kind="flat"]:focus, QTextBrowser[kind="flat"]:focus {{ border: 1px solid {t.accent}; padding: 4px 6px; }}
QTextBrowser[kind="reading"]:focus {{ border: 1px solid {t.accent}; padding: 1px; }}
QLineEdit[kind="flat"] {{ border: 2px solid transparent; background: transparent; padding: 4px 7px; }}
QLineEdit[kind="flat"]:focus {{ border: 2px solid {t.accent}; }}
QComboBox::drop-down, QDateEdit::drop-down {{ border: 0; width: {px(24)}px; }}
QComboBox::down-arrow, QDateEdit::down-arrow {{
  image: url("{glyphs["caret_down"]}"); width: {px(12)}px; height: {px(12)}px;
}}
QComboBox QAbstractItemView {{
  background: {t.raised}; border: 1px solid {t.line}; padding: 4px; outline: 0;
  selection-background-color: {t.accent_soft};
}}
QSpinBox {{ padding-top: 3px; padding-bottom: 3px; }}
QSpinBox:focus {{ padding-top: 2px; padding-bottom: 2px; }}
QSpinBox::up-button, QSpinBox::down-button {{ border: 0; width: {px(20)}px; background: transparent; }}
QSpinBox::up-arrow {{ image: url("{glyphs["caret_up"]}"); width: {px(10)}px; height: {px(10)}px; }}
QSpinBox::down-arrow {{ image: url("{glyphs["caret_down"]}"); width: {px(10)}px; height: {px(10)}px; }}
QCheckBox, QRadioButton {{ spacing: 8px; color: {t.text}; background: transparent; padding: 3px 4px; }}
QCheckBox:focus, QRadioButton:focus {{ border: 2px solid {t.accent}; border-radius: 4px; padding: 1px 2px; }}
QCheckBox::indicator, QRadioButton::indicator, QListView::indicator {{
  width: {px(14)}px; height: {px(14)}px; border: 1px solid {t.line_strong}; background: {t.surface};
}}
QCheckBox::indicator, QListView::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: {px(14) // 2 + 1}px; }}
QCheckBox::indicator:checked, QRadioButton::indicator:checked, QListView::indicator:checked {{
  background: {t.accent}; border-color: {t.accent}; }}
QCheckBox::indicator:checked, QListView::indicator:checked {{ image: url("{glyphs["tick"]}"); }}
QRadioButton::indicator:checked {{ image: url("{glyphs["dot"]}"); }}
"""


def _views(t: Tokens, px: Callable[[int], int], glyphs: Mapping[str, str]) -> str:
    return f"""
QTableView, QTreeView, QListView {{
  background: {t.surface}; color: {t.text}; border: 0; outline: 0; gridline-color: {t.line};
  selection-background-color: {t.accent_soft}; selection-color: {t.text}; alternate-background-color: {t.surface};
}}
QListView::item, QTreeView::item {{ padding: 4px 8px; border-radius: 4px; min-height: {px(18)}px; }}
QListView::item:hover, QTreeView::item:hover {{ background: {t.sunken}; }}
QListView::item:focus, QTreeView::item:focus {{ background: transparent; border: 1px solid {t.accent}; }}
QListView::item:selected, QTreeView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
QTableView::item {{ padding: 0 5px; border: 0; border-bottom: 1px solid {t.line}; }}
QTableView::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
QTableView:focus, QTreeView:focus, QListView:focus {{ border: 2px solid {t.accent}; }}
QTableView, QTreeView, QListView {{ border: 2px solid transparent; }}
QListView[kind="completion"] {{
  background: {t.raised}; border: 1px solid {t.line_strong}; border-radius: 6px; padding: 2px;
}}
QTableView QLineEdit, QTableView QComboBox {{ border-radius: 0; padding: 0 6px; min-height: 0; }}
QTreeView::branch {{ background: transparent; }}
QTreeView::branch:has-children:closed {{ image: url("{glyphs["caret_right"]}"); }}
QTreeView::branch:has-children:open {{ image: url("{glyphs["caret_down"]}"); }}
QHeaderView {{ background: {t.surface}; border: 0; }}
QHeaderView::section {{
  background: {t.surface}; color: {t.text_quiet}; border: 0; border-bottom: 1px solid {t.line}; padding: 6px 8px;
  font-size: {px(12)}px;
}}
QTableCornerButton::section {{ background: {t.surface}; border: 0; }}
QTabWidget::pane {{ border: 0; border-top: 1px solid {t.line}; background: {t.surface}; }}
QTabWidget::tab-bar {{ left: 8px; }}
QTabBar {{ background: transparent; qproperty-drawBase: 0; }}
QTabBar::tear {{ width: 0; border: 0; }}
QTabBar::scroller {{ width: {px(24)}px; }}
QTabBar QToolButton {{ background: {t.surface}; border: 0; border-radius: 0; padding: 0; min-height: 0; }}
QTabBar QToolButton::left-arrow {{ image: url("{glyphs["caret_left"]}"); }}
QTabBar QToolButton::right-arrow {{ image: url("{glyphs["caret_right"]}"); }}
QTabBar::tab {{
  background: transparent; color: {t.text_quiet}; padding: 7px 12px 6px 12px; border: 0;
  border-bottom: 2px solid transparent; margin-right: 4px;
}}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
QTabBar::tab:focus {{ color: {t.accent}; }}
QScrollArea {{ background: transparent; border: 0; }}
QScrollArea > QWidget > QWidget#body {{ background: transparent; }}
"""


def _frames(t: Tokens, px: Callable[[int], int]) -> str:
    return f"""
QFrame#rail {{ background: {t.window}; border: 0; border-right: 1px solid {t.line}; }}
QFrame#topbar {{ background: {t.window}; border: 0; border-bottom: 1px solid {t.line}; }}
QFrame#footer {{ background: {t.window}; border: 0; border-top: 1px solid {t.line}; }}
QFrame#footer QLabel {{ color: {t.text_quiet}; font-size: {px(12)}px; }}
QFrame[kind="pane"] {{ background: {t.surface}; border: 0; }}
QFrame[kind="bar"] {{ background: {t.surface}; border: 0; border-bottom: 1px solid {t.line}; }}
QFrame[kind="foot"] {{ background: {t.surface}; border: 0; border-top: 1px solid {t.line}; }}
QFrame[kind="card"] {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 8px; margin: 1px; }}
QFrame[kind="card"][chosen="true"] {{ border: 2px solid {t.accent}; margin: 0; }}
QFrame[kind="drop"] {{ background: transparent; border: 2px dashed {t.line_strong}; border-radius: 8px; }}
QFrame[kind="drop"][hot="true"] {{ background: {t.accent_soft}; border-color: {t.accent}; }}
QFrame[kind="segments"] {{ background: {t.sunken}; border: 0; border-radius: 7px; }}
QFrame[kind="popup"] {{ background: {t.raised}; border: 1px solid {t.line_strong}; border-radius: 8px; }}
QFrame[kind="note"] {{ background: {t.accent_soft}; border: 0; }}
QFrame[kind="sunken"] {{ background: {t.sunken}; border: 0; border-radius: 6px; }}
QFrame[kind="banner"] {{ background: {t.accent_soft}; border: 0; border-bottom: 1px solid {t.line}; }}
QFrame[kind="banner"][level="error"] {{ background: {t.violates.soft}; }}
QFrame[kind="banner"][level="warn"] {{ background: {t.review.soft}; }}
QFrame[kind="rule"] {{ background: {t.line}; border: 0; max-height: 1px; min-height: 1px; }}
QPushButton#omnibox {{
  background: {t.surface}; color: {t.text_quiet}; border: 1px solid {t.line_strong}; text-align: left; font-weight: 400;
}}
QPushButton#omnibox:hover {{ background: {t.sunken}; }}
QPushButton#omnibox:focus {{ border: 2px solid {t.accent}; }}
"""

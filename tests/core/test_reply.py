"""Proof of the reader of answers: every shape that models print, and never a verdict that was not stated."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from studio.core.harmony import Channels, from_text
from studio.core.reply import read_reply
from studio.core.verdict import Status, Verdict


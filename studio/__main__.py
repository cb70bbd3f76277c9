"""``moderation-studio``: the window without arguments, the command line with them."""

from __future__ import annotations

import multiprocessing
import sys


def main() -> int:
    """Start the window, or the command line when there are arguments. Returns the exit code."""
    multiprocessing.freeze_support()
    # Each side is imported only when it is the one that starts: the command line must not wait for Qt, nor the window
    # for the command line's libraries.
    if len(sys.argv) > 1:
        from studio.cli.app import run

        return run()
    from studio.app import main as window

    return window()


if __name__ == "__main__":
    sys.exit(main())

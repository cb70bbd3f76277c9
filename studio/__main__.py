"""``moderation-studio``: the window without arguments or with a workspace file, else the command line."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

from studio.paths import WORKSPACE_SUFFIX


def main() -> int:
    """Start the window, or the command line when the arguments name a command. Returns the exit code."""
    multiprocessing.freeze_support()
    arguments = sys.argv[1:]
    # Each side is imported only when it is the one that starts: the command line must not wait for Qt, nor the window
    # for the command line's libraries.
    if not arguments or (len(arguments) == 1 and arguments[0].endswith(WORKSPACE_SUFFIX)):
        try:
            from studio.app import run as window
        except ImportError as error:
            if ".so" not in str(error):
                raise
            print(f"The window needs a library of the system that is missing: {error}.", file=sys.stderr)
            print("In a copy of the repository, `make run` names the packages to install.", file=sys.stderr)
            return 1
        return window(*map(Path, arguments))
    from studio.cli.app import run as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())

"""Write the list of rooms and modules in studio/README.md anew, each with the first sentence of its docstring.

``make map`` runs it; ``--check`` only says whether the list is as it should be (exit status 1 when not).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "studio"
MAP = PACKAGE / "README.md"
BEGIN, END = "<!-- begin: written by make map -->\n", "<!-- end: written by make map -->\n"
# From the top of the house to its ground.
ROOMS = ["cli", "ui", "services", "store", "engine", "hub", "exchange", "analysis", "core"]


def main(arguments: list[str]) -> int:
    """Write the list, or with ``--check`` compare it."""
    text = MAP.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = head + BEGIN + "".join(f"{line}\n" for line in listing()) + END + tail
    if "--check" in arguments:
        return 0 if text == wanted else 1
    MAP.write_text(wanted, encoding="utf-8")
    return 0


def listing() -> Iterator[str]:
    """The lines of the list: the modules that stand alone, then room by room."""
    yield ""
    for module in sorted(PACKAGE.glob("*.py")):
        if module.name != "__init__.py":
            yield entry(module)
    rooms = [path for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()]
    for room in sorted(rooms, key=lambda path: (ROOMS.index(path.name), path.name)):
        yield ""
        yield f"### `{room.name}/`"
        yield ""
        yield sentence(room / "__init__.py")
        yield ""
        for module in sorted(room.rglob("*.py"), key=lambda path: (path.parent, path.name)):
            if module.parent != room or module.name != "__init__.py":
                yield entry(module)
    yield ""


def entry(module: Path) -> str:
    """One line of the list; a folder stands in the place of its ``__init__.py``."""
    inside = module.relative_to(PACKAGE)
    name = f"{inside.parent.as_posix()}/" if inside.name == "__init__.py" else inside.as_posix()
    return f"- `{name}` {sentence(module)}"


def sentence(module: Path) -> str:
    """The first sentence of the module's docstring."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    first = docstring.partition("\n\n")[0].replace("``", "`").replace("\n", " ")
    return re.split(r"(?<=[.?])\s", first, maxsplit=1)[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

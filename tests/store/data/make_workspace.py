"""Makes the old file that the tests of migrations keep: run it once for each new revision, and never again for that.

python -m tests.store.data.make_workspace
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from studio.store.schema import REVISION
from studio.store.workspace import Workspace
from tests.store.samples import NOW, a_policy, a_run, an_example, ended


def main() -> None:
    path = Path(__file__).with_name(f"workspace-{REVISION}.sqlite")
    if path.exists():
        raise SystemExit(f"{path.name} is kept as it was; remove it yourself if it has never been released")
    with Workspace.open(path) as workspace:
        workspace.policies.save_version(a_policy(), message="First", author="me", now=NOW)
        workspace.policies.save_draft(a_policy("draft", title="Draft"), NOW)
        session = workspace.sessions.create("Sitting", NOW)
        workspace.sessions.save_state(session.id, {"typed": "Buy"})
        run = a_run(session.id)
        workspace.runs.begin(run)
        workspace.runs.finish(ended(run))
        workspace.runs.begin(a_run(session.id, "Unfinished"))
        workspace.golden.add(an_example(example_id="example"))
        workspace.settings.set("theme", "dark")
    with closing(sqlite3.connect(path)) as connection:
        # One file, without a log beside it.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")


if __name__ == "__main__":
    main()

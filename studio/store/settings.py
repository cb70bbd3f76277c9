"""Settings of the workspace: small JSON values by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from studio.store.database import Database
from studio.store.schema import SettingRow


class WorkspaceSettings:
    """What belongs to this workspace and travels with it. All methods raise StoreError when the file fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key`` as JSON gives it back, or ``default``."""
        with self._database.read() as session:
            row = session.get(SettingRow, key)
            return default if row is None else row.value

    def set(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold; not None, which is the same as no value."""
        if value is None:
            raise ValueError("a setting without a value is removed, not set")
        with self._database.write() as session:
            session.execute(
                insert(SettingRow)
                .values(key=key, value=value)
                .on_conflict_do_update(index_elements=["key"], set_={"value": value})
            )

    def remove(self, key: str) -> None:
        """Forget the value; without one nothing happens."""
        with self._database.write() as session:
            session.execute(delete(SettingRow).where(SettingRow.key == key))

    def all(self) -> dict[str, Any]:
        """All settings by name."""
        with self._database.read() as session:
            return {row.key: row.value for row in session.scalars(select(SettingRow).order_by(SettingRow.key))}

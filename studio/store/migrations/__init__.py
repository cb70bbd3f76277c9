"""Alembic's scripts, one per change of the tables. ``store/migrate.py`` runs them; there is no ``alembic.ini``."""

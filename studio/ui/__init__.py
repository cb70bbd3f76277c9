"""The window: pages over the services, in PySide6. Knows no database, no engine and no file format."""

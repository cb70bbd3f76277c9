"""The workspace: one SQLite file with policies, sessions, runs and golden examples.

The modules here take and return the dataclasses of ``core``; rows never leave this package. Start at ``workspace.py``.
"""

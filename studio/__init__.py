"""Moderation Studio: write a content policy and see at once how gpt-oss-safeguard judges content under it."""

__version__ = "0.1.0"

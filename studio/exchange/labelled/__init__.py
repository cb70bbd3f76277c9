"""Labelled sets from files: read as they are, mapped in sight, and never a label that the file does not give."""

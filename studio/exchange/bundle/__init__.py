"""Bundles: everything that a machine without a network needs, in one folder or archive."""

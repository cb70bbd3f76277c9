"""Model files: which are known, where they lie, and whether they are what they say."""

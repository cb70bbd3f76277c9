"""Files in and out: policies, contents, golden sets. Imports never default a label."""

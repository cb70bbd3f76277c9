"""The shapes of labelled sets that are known, each with the trap that it sets for a reader."""

"""The Golden set: examples with the decision that is right, and how a policy does on them."""

"""The Workbench: a policy on the left, a content on the right, and what the model decided below it."""

"""Tokens in, tokens out: the worker process that runs the model, and its client."""

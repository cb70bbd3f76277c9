"""Judging on a server of the user's own network that speaks the OpenAI protocol: llama-server, vLLM, and their kin."""

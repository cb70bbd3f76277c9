"""Everything that touches llama.cpp: opened in the worker process only."""

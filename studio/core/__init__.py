"""What a judgement is, in plain Python: no file, no database, no model, no window."""

"""The History: every run that was kept, to be searched, looked at and opened again."""

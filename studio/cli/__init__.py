"""The command line: thin commands over the services, for scripts and for those who like a terminal."""

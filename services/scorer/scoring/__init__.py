"""The scoring of clips: claim them, measure them in a child process, record the scores."""

"""Pictures of clips, drawn in a child process."""

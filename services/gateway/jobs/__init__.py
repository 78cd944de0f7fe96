"""Jobs: submission, lists, reading, audio, and their JSON."""

"""Child processes, and how a process starts, logs and stops."""

"""Files and folders: locks, atomic writes, private modes, and the errors of a full or broken disk."""

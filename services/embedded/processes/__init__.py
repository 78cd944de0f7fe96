"""The processes of a stack: how they are started, watched, recognised and ended."""

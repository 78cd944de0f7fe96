"""The machine and this Python: what something was spoken with."""

"""How the demo says that something is not as it should be."""


class DemoFailed(Exception):
    """One clear line; the demo's exit code is not 0."""

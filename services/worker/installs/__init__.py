"""`ringtrue engines`: the Pythons and packages of engine families, and which interpreter a host runs in."""

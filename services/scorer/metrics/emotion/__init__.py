"""The emotion that is heard in a clip, and whether it is the one that was asked for."""

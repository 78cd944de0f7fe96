"""The transcript of a clip by a pinned Whisper, and how far it is from the text."""

"""What is said in a clip, by a Whisper that the team has pinned, and how far it is from the text."""

"""Small values: texts, numbers, times, language tags, and how they are checked and printed."""

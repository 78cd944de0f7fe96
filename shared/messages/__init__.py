"""Messages through Redis: wake-ups, who takes them, and announcements."""

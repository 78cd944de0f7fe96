"""The vocabulary that every service speaks and the doors they share (store, queue, blobs, audio)."""

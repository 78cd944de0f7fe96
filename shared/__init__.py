"""The vocabulary that every service speaks (jobs, pins, scores, errors) and the doors they share (store, queue, blobs)."""

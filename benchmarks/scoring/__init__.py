"""What scoring, tracking and comparing cost."""

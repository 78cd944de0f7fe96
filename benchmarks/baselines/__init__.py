"""What our figures are compared with: the scripts that everyone starts with, and the bare work."""

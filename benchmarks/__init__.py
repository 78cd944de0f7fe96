"""Our figures as ratios against the scripts everyone starts with, measured in one run: ``python -m benchmarks``."""

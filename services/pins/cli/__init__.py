"""The commands of `ringtrue models`."""

"""From a lock to files in the store: downloads, the rest of broken ones, and room on the disk."""

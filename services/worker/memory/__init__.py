"""The memory of a machine and its GPU that engine hosts may take: measured, reserved, kept below a cap."""

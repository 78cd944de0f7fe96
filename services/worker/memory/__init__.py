"""What engine hosts may take of a machine's memory and of its GPU's: measured, reserved, kept below a cap."""

"""What a gate demands of a candidate: rules, their file, and those that ship. Judges nothing."""

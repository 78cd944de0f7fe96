"""What a gate demands of a candidate: rules, their file, and the default rules. Judges nothing."""

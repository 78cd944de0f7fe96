"""Statistics and comparisons, as functions of tables of scores."""

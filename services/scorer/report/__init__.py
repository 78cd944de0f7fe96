"""The report of a comparison: one page that needs nothing else, and its charts as files."""

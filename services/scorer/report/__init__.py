"""The report of a comparison: one page that needs nothing besides itself, and its charts as files."""

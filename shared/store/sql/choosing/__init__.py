"""Which user is served next, and which job or study is next."""

"""Tables, indexes, and the conversion between rows and values."""

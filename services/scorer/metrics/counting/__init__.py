"""How a text and a transcript are compared: every way to read what is written, and the errors between the two."""

"""How words are to be read, and how a reading is judged to be right."""

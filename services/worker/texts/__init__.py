"""A text before it is spoken: its sentences, its pieces, and how long their speech may be."""

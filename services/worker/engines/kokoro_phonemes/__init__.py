"""The phonemes of Kokoro, which models made from it read too: texts of nine languages in phonemes, the
accents of voices, and the numbers of the phonemes.
"""

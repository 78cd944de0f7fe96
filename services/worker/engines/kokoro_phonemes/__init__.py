"""The phonemes of Kokoro, which models made from it read too: texts of English, Chinese and Japanese in phonemes, the
accents of voices, and the numbers of the phonemes.
"""

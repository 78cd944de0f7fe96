"""The phonemes of Kokoro, which models made from it read too: texts of English and Chinese in phonemes, the accents of
voices, and the numbers of the phonemes.
"""

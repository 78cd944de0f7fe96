"""Hears what users upload: one sound file in, bare PCM out, in a process that may not do much else.

The gateway starts it by its command line (`python -m services.ears`) for each upload and knows nothing else of it.
"""

"""Decodes what users upload: one sound file in, bare PCM out, in a process with few rights.

The gateway starts it by its command line (`python -m services.upload_decoder`) for each upload and knows nothing else
of it.
"""

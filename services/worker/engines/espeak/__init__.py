"""espeak NG as an engine: real speech in a hundred languages, no weights, CPU only.

espeak NG is GPL-3 and keeps state per process. Both stay in the engine host that imports this package.
"""

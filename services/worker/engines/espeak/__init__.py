"""espeak-ng as an engine: real speech in a hundred languages, no weights, CPU only.

espeak-ng is GPL-3 and keeps process-wide state; both stay in the engine host that imports this package.
"""

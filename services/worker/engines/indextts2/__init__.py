"""IndexTTS2 as an engine: IndexTTS-2 and IndexTTS-2.5 of bilibili. Any voice from a few seconds of it, with emotion.

The package ``indextts`` requires transformers 4.52.1 and cannot share an environment with ours. It gets its own
interpreter, made from requirements.txt. Nothing in this package imports it before `Engine.load`.
"""

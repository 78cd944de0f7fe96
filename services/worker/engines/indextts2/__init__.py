"""IndexTTS2 as an engine: IndexTTS-2 and IndexTTS-2.5 of bilibili, any voice from a few seconds of it, with emotion.

The package ``indextts`` holds transformers 4.52.1 and cannot share an environment with our own; it has an interpreter
of its own, made from requirements.txt. Nothing in here imports it before `Engine.load`.
"""

"""Sambert-HifiGAN as an engine: the voices that ModelScope publishes for it, most of them Mandarin, some with emotions.

Its front end exists for Python 3.10 at most and needs old packages, so it has its own interpreter, made from
requirements.txt. This folder keeps to the syntax and library of Python 3.10. Nothing in it imports the packages before
`Engine.load`.
"""

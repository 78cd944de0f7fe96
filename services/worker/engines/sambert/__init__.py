"""Sambert-HifiGAN as an engine: the voices that ModelScope publishes for it, most of them Mandarin, some with emotions.

Its front end exists for Python 3.10 at most, and the packages want old ones beside them: it has an interpreter of its
own, made from requirements.txt. So this folder keeps to the syntax and the library of Python 3.10. Nothing in here
imports the packages before `Engine.load`.
"""

"""Piper as an engine: small neural voices in ONNX, fast on a CPU.

The package piper-tts is GPL-3.0-or-later. It is imported when a voice is loaded, and only in its engine host.
"""

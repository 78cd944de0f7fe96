"""Kokoro as an engine: one small model in ONNX with many voices, in English and Chinese."""

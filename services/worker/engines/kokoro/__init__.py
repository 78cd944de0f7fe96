"""Kokoro as an engine: one small model in ONNX with many voices, in nine languages."""

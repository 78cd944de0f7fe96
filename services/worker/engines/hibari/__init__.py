"""Hibari as an engine: small models of Kokoro's English voices in ONNX, a model for each voice."""

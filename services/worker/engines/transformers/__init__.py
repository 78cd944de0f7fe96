"""Models of the library transformers as an engine: VITS and MMS, SpeechT5, Bark, and what else makes waveforms of text.

One file per class of models; torch and transformers are imported when a model is loaded, and only in its engine host.
"""

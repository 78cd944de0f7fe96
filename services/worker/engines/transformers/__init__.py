"""Models of the library transformers as an engine: VITS and MMS, SpeechT5, Bark, and other text-to-waveform models.

Each class of models has a file. torch and transformers are imported when a model is loaded, and only in its engine
host.
"""

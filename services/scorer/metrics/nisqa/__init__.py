"""NISQA and NISQA-TTS: one network in two sizes, by published weights."""

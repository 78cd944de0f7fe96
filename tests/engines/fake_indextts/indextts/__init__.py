"""The package ``indextts`` as its callers see it, without its models: same names, same arguments, same ways to fail.

Signatures and failures are those of index-tts/index-tts at ee40fa7d6c6b8a2c7f06105f9f1e65775b74868c; the places are in
docs/engines/indextts2.md. What is heard is a buzz with a pitch, a pace and a level, moved by what would move a voice.
"""

"""The packages of Sambert-HifiGAN as their callers see them, without the models: same names, same ways to fail.

What can be called, and what that does, is of modelscope v1.29.0, of alibaba-damo-academy/KAN-TTS at
66202d052189a3dcca5f75c718c47a7a5cc68116, and of ttsfrd as far as these two call it; the places are in
docs/engines/sambert.md. What is heard is a buzz with a pitch, a pace and a level, moved by what would move a
voice.
"""

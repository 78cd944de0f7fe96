"""Pins: locks what the catalog wants to exact bytes, fetches the bytes, and carries them from one machine to another.

Owns the conversation with the hubs and the commands `ringtrue models`. What a lock is and where the bytes are stored is
known to shared/weights.
"""

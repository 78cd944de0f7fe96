"""Pins: what the catalog wants is locked to bytes, fetched, and carried from one machine to another.

Owns the hubs' talk and the commands `ringtrue models`. What a lock is and where the bytes lie, shared/weights knows.
"""

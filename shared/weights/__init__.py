"""The weights of pinned models: what the team wants (catalog), exactly what that is (lock), and its files (store).

Owns the two files and the folder. Downloads nothing and knows no hub: services/pins does that.
"""

"""The weights of pinned models: what the team wants (catalog), what that is (lock), and where the bytes lie (store).

Owns the two files and the folder. Fetches nothing and knows no hub: services/pins does that.
"""

"""Addresses and sockets: proxies, URLs of Redis, and the user at the other end of a connection."""

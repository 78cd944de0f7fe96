"""Requests to the gateway: what they are, without I/O, and how they are sent."""

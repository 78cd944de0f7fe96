"""The HTTP server: uvicorn, with limits on everything that a client can send before it shows a key."""

"""From the catalog to the lock: which files a pin has, by their hashes."""

"""DNSMOS, computed so that each stretch of sound is processed once."""

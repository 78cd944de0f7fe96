"""DNSMOS, with every stretch of sound looked at once."""

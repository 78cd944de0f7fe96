"""Certificates: how reproducible a pin is here, and whether another place gives the same sound."""

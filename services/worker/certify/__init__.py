"""Certificates: how reproducible a pin is here, and whether another machine gives the same sound."""

"""Statements about studies, by their caller: gateway, scorer, sweeper."""

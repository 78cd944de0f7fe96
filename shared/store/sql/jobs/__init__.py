"""Statements about jobs, by their caller: gateway, worker, scorer, sweeper."""

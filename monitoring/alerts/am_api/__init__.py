"""Alertmanager's API, version 2, one below each team's address."""

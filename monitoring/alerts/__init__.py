"""Alerts: what is wrong, who is told of it, and what became of it."""

"""Escalation: who is paged next where nobody acknowledges."""

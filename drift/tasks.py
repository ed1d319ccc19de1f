"""Drift's work for Celery."""

"""Availability's Celery tasks: a log line, one call, a sentence as the result. Each may run twice."""

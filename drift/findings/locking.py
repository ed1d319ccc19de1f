"""One at a time per model: whoever changes its findings, and what alerting is told of them, holds this lock."""

from django.db import connection

_LOCK = 4_019  # of pg_advisory_xact_lock


def lock(model_id: int) -> None:
    """Until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, model_id])

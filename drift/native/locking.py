"""One at a time per model: whoever stores rows of it or counts them."""

from django.db import connection

_LOCK = 4_020  # of pg_advisory_xact_lock


def lock(model_id: int) -> None:
    """Until the transaction ends. Taken before the lock of `drift.findings`, never after it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, model_id])

"""The one clock of alerting, the database's; and the doorbell that wakes the notifier."""

from datetime import datetime

from django.db import connection

DOORBELL = "fleetledger_alerts"


def now() -> datetime:
    """`app_now()` of the database, in UTC: never the clock of a worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app_now()")
        (at,) = cursor.fetchone() or (None,)
    assert isinstance(at, datetime)  # noqa: S101 the function gives one always
    return at


def ring() -> None:
    """Wake the notifier when this transaction commits; without it the notifier looks within a second anyway."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {DOORBELL}")

"""What the fleet tells the rooms above it, after commit."""

from datetime import date

from django.db import transaction
from django.dispatch import Signal

ownership_changed = (
    Signal()
)  # from_day: date | None; facts from that day on (None: from the first) may have other owners


def announce_ownership_change(from_day: date | None) -> None:
    """Send `ownership_changed` once the transaction is committed."""
    transaction.on_commit(lambda: ownership_changed.send(sender=None, from_day=from_day))

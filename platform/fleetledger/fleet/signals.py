"""What the fleet tells the rooms above it, after commit."""

from datetime import date

import structlog
from django.db import transaction
from django.dispatch import Signal

log = structlog.get_logger(__name__)

# from_day: date | None; facts from that day on (None: from the first) may have other owners
ownership_changed = Signal()


def announce_ownership_change(from_day: date | None) -> None:
    """Send `ownership_changed` once the transaction is committed."""
    transaction.on_commit(lambda: _send(from_day))


def _send(from_day: date | None) -> None:
    """To every room, also where one of them fails: the change itself is committed."""
    for receiver, answer in ownership_changed.send_robust(sender=None, from_day=from_day):
        if isinstance(answer, Exception):
            log.error("a room did not take the change of owners in", receiver=str(receiver), error=str(answer))

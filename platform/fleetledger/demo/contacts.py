"""How the demo's people are paged: a webhook each, at the simulated fleet's own address."""

from datetime import datetime, time
from typing import Any

from django.db import transaction

from fleetledger.fleet.models import User
from monitoring.alerts.models import ChannelKind, ContactMethod, Destination, PersonalRule, QuietHours

ON_CALL = ("tomas", "priya", "lena", "ivo", "mira")  # nobody can reach jonas: the pages of escalations say so
LABEL = "Demo webhook"


QUIET = "priya"  # sleeps from ten to six unless it is critical
PERSISTENT = "tomas"  # is told again after five minutes


@transaction.atomic
def make(port: int, now: datetime) -> None:
    """Make those that are missing, and bring the addresses to this port; what people set themselves stays."""
    for user in User.objects.filter(username__in=ON_CALL).order_by("username"):
        config = {"url": f"http://127.0.0.1:{port}/hook/{user.username}"}
        values: dict[str, Any] = {"config": config, "shown": f"http://127.0.0.1:{port}/…"}
        known = ContactMethod.objects.filter(user=user, label=LABEL)
        if not known.exists():
            _prefer(user, _made(user, values, now))
        known.update(**values)
        Destination.objects.filter(contact__in=known).update(config=config)


def _made(user: User, values: dict[str, Any], now: datetime) -> ContactMethod:
    row = ContactMethod.objects.create(
        user=user,
        kind=ChannelKind.WEBHOOK,
        label=LABEL,
        created_at=now,
        verified_at=now,
        vouched_by="the demo",
        **values,
    )
    Destination.objects.create(contact=row, receiver=user.username, kind=row.kind, config=row.config)
    return row


def _prefer(user: User, method: ContactMethod) -> None:
    if user.username == QUIET:
        hours = {"from_time": time(22), "until_time": time(6), "days": list(range(7))}
        QuietHours.objects.get_or_create(user=user, defaults=hours)
    if user.username == PERSISTENT:
        rules = (PersonalRule(user=user, method=method, after_s=after_s) for after_s in (0, 300))
        PersonalRule.objects.bulk_create(rules, ignore_conflicts=True)

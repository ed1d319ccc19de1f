"""How the demo's people are paged: a webhook each, at the simulated fleet's own address."""

from datetime import datetime

from django.db import transaction

from fleetledger.fleet.models import User
from monitoring.alerts.models import ChannelKind, ContactMethod, Destination

ON_CALL = ("tomas", "priya", "lena", "ivo", "mira")  # nobody can reach jonas: the pages of escalations say so
LABEL = "Demo webhook"


@transaction.atomic
def make(port: int, now: datetime) -> None:
    """Make those that are missing, and bring the addresses to this port."""
    for user in User.objects.filter(username__in=ON_CALL).order_by("username"):
        config = {"url": f"http://127.0.0.1:{port}/hook/{user.username}"}
        method, _ = ContactMethod.objects.update_or_create(
            user=user,
            label=LABEL,
            defaults={"kind": ChannelKind.WEBHOOK, "config": config},
            create_defaults={"kind": ChannelKind.WEBHOOK, "config": config, "created_at": now, "verified_at": now},
        )
        wanted = {"receiver": user.username, "kind": ChannelKind.WEBHOOK, "config": config}
        Destination.objects.update_or_create(contact=method, defaults=wanted)

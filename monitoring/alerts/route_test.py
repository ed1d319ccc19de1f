"""Sends a test message along the road that an alert with certain labels would take; its attempts are the receipts."""

from collections.abc import Mapping
from uuid import uuid4

from django.db import transaction

from monitoring.alerts import clock, outbox, routing, trees
from monitoring.alerts.acts import Actor
from monitoring.alerts.errors import AlertsError, ConflictError
from monitoring.alerts.labels import ALERT_NAME, fingerprint, is_name, without_empty
from monitoring.alerts.message import FIRING, AlertLine, Body
from monitoring.alerts.models import Destination, MessageKind, OutboxMessage
from monitoring.alerts.tenants import Tenant

NAME = "FleetledgerTest"


@transaction.atomic
def tests_route(tenant: Tenant, labels: Mapping[str, str], actor: Actor) -> tuple[OutboxMessage, ...]:
    """Queue one test message for each destination where these labels go; their attempts tell who got it.

    Raises AlertsError for labels that are none, ConflictError where the road ends at nobody.
    """
    wrong = sorted(name for name in labels if not is_name(name))
    if wrong:
        raise AlertsError(f"'{wrong[0][:64]}' names no label. A label's name is made of letters, digits and _.")
    shown = {ALERT_NAME: NAME} | without_empty(labels)
    tree = trees.tree_for(tenant.team_id)
    receivers = dict.fromkeys(route.receiver for route in routing.matched(tree.route, shown))
    places = [place for receiver in receivers for place in trees.destinations(tree.tree_id, receiver)]
    if not places:
        names = ", ".join(f"'{name}'" for name in receivers)
        raise ConflictError(f"These labels go to {names}, which tells nobody. Give it a webhook, a mail address or so.")
    return tuple(filter(None, (_queue(tenant, place, shown, actor) for place in places)))


def _queue(tenant: Tenant, place: Destination, labels: Mapping[str, str], actor: Actor) -> OutboxMessage | None:
    now = clock.now()
    summary = {"summary": "This is a test. Nothing is wrong."}
    line = AlertLine(0, 0, fingerprint(labels), FIRING, labels, summary, starts_at=now)
    return outbox.enqueue(
        team_id=tenant.team_id,
        destination=place,
        kind=MessageKind.TEST,
        body=Body((line,), note=f"A test by {actor.name}.", group_key="test", group_labels={}),
        dedupe_key=f"test:{uuid4()}:{place.pk}",
        now=now,
    )

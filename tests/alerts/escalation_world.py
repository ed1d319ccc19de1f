"""Escalations, runs and pages as they lie in the database, made by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from fleetledger.fleet.models import User
from monitoring.alerts.models import (
    Alert,
    Attempt,
    ContactMethod,
    Destination,
    Escalation,
    Group,
    OutboxMessage,
    Page,
    Run,
    RunEpisode,
    RunStep,
)
from tests.alerts.world import START

STEPS: list[dict[str, Any]] = [{"person": "mira"}, {"wait": "5m"}, {"person": "tom"}]


def escalation(name: str = "primary", steps: Sequence[dict[str, Any]] = (), **fields: Any) -> Escalation:
    return Escalation.objects.create(name=name, steps=list(steps or STEPS), **fields)


def run(of: Escalation, *alerts: Alert, at: datetime = START, **fields: Any) -> Run:
    """A run about the open or last episodes of `alerts`; active and due in three minutes unless told otherwise."""
    (first, *_) = alerts
    group = Group.objects.get_or_create(
        team=first.team,
        key=f"key-{first.name}",
        defaults={
            "route": "{}",
            "receiver": "sre",
            "labels": {"alertname": first.name},
            "group_interval_s": 300,
            "repeat_interval_s": 14_400,
        },
    )[0]
    values: dict[str, Any] = {"step": 2, "due_at": at + timedelta(minutes=3), **fields}
    if values.get("state", "active") != "active":
        values["due_at"] = None
    made = Run.objects.create(
        team=first.team,
        escalation=of,
        group=group,
        steps=of.steps,
        repeat=of.repeat,
        started_at=at,
        changed_at=at,
        **values,
    )
    RunEpisode.objects.bulk_create(
        RunEpisode(run=made, group=group, episode=alert.episodes.latest("number")) for alert in alerts
    )
    return made


def step(of: Run, place: int = 0, words: str = "Paged mira.", **fields: Any) -> RunStep:
    values: dict[str, Any] = {"round": 0, "at": of.started_at, **fields}
    return RunStep.objects.create(run=of, step=place, words=words, **values)


def page(
    done: RunStep, person: User, at: datetime | None = None, *, state: str = "sent", via: str = "mail", **fields: Any
) -> Page:
    """A page of `person` by one way; `state` is of its message."""
    at = at or done.at
    told_at = at if state == "sent" else None
    made = Page.objects.create(done=done, run=done.run, person=person, at=at, told_at=told_at, **fields)
    is_over = state != "queued"
    message = OutboxMessage.objects.create(
        team=done.run.team,
        destination=way(person, via),
        run=done.run,
        page=made,
        kind="page",
        dedupe_key=f"page-{made.pk}-{via}",
        body={"note": "", "alerts": []},
        created_at=at,
        due_at=at,
        state=state,
        finished_at=at if is_over else None,
    )
    if state in ("sent", "dead"):
        Attempt.objects.create(
            message=message, fence=1, sending_at=at, finished_at=at, is_delivered=state == "sent", status=200
        )
    return made


def way(person: User, label: str = "mail") -> Destination:
    method = ContactMethod.objects.get_or_create(
        user=person, label=label, defaults={"kind": "email", "created_at": START, "verified_at": START}
    )[0]
    known = Destination.objects.filter(contact=method).first()
    return known or Destination.objects.create(receiver=person.username, kind="email", config={}, contact=method)

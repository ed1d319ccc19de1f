"""Tells subscribers once what is new on the public page: incidents, what the public is told of them, planned work."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from fleetledger.web.words import plural
from monitoring.alerts import outbox
from monitoring.availability.models import PublicNews, Subscription
from monitoring.availability.public import links, subscribing
from monitoring.availability.public.shown import Planned, Shown, Trouble

LATEST = timedelta(days=1)
"""What is older is no news, should it turn public only now."""
AT_ONCE = 500
KEEP = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class _News:
    ref: str
    text: str
    event: str


@transaction.atomic
def publish(shown: Shown, now: datetime) -> str:
    """Queue what nobody was told yet for everybody who has confirmed. Two at once tell it once."""
    found = list(_all(shown, now))
    known = set(PublicNews.objects.filter(ref__in=[item.ref for item in found]).values_list("ref", flat=True))
    fresh = [item for item in found if item.ref not in known]
    told = sum(_tell(item, now) for item in fresh)
    forgotten = subscribing.forget(now)
    PublicNews.objects.filter(at__lt=now - KEEP).delete()
    return f"{len(fresh)} new, {plural(told, 'message')} queued, {plural(forgotten, 'subscription')} forgotten."


def _all(shown: Shown, now: datetime) -> Iterator[_News]:
    for trouble in shown.troubles:
        yield from _of(trouble, now)
        if trouble.state == "mitigated":
            yield _News(f"incident:{trouble.id}:mitigated", f"{trouble.title}. The worst is over.", "mitigated")
    for trouble in shown.past:
        if trouble.resolved_at and trouble.resolved_at > now - LATEST:
            yield from _updates(trouble, now)
            at = int(trouble.resolved_at.timestamp())
            yield _News(f"incident:{trouble.id}:resolved:{at}", f"{trouble.title}. It is resolved.", "resolved")
    for work in shown.planned:
        yield _News(f"maintenance:{work.id}:{work.service}", _work(work), "maintenance")


def _of(trouble: Trouble, now: datetime) -> Iterator[_News]:
    since = f"{trouble.opened_at:%Y-%m-%d %H:%M} UTC"
    text = f" {trouble.text}" if trouble.text else ""
    yield _News(f"incident:{trouble.id}:opened", f"{trouble.title}. Since {since}.{text}", "opened")
    yield from _updates(trouble, now)


def _updates(trouble: Trouble, now: datetime) -> Iterator[_News]:
    for update in reversed(trouble.updates):
        if update.at > now - LATEST:
            ref = f"incident:{trouble.id}:update:{update.at.timestamp():.6f}"
            yield _News(ref, f"{trouble.title}. {update.text}", "update")


def _work(work: Planned) -> str:
    times = f"{work.from_at:%Y-%m-%d %H:%M} to {work.until_at:%Y-%m-%d %H:%M} UTC"
    return f"Planned work on {work.service}. It may not answer from {times}."


def _tell(item: _News, now: datetime) -> int:
    made, is_new = PublicNews.objects.get_or_create(ref=item.ref[:64], defaults={"at": now, "text": item.text})
    if not is_new:
        return 0
    queued = 0
    for row in Subscription.objects.filter(confirmed_at__isnull=False, ended_at=None).iterator(chunk_size=AT_ONCE):
        found = subscribing.message(row, _note(item, row), _facts(item, row), f"news:{made.pk}:{row.pk}", now)
        if found is not None:
            outbox.enqueue_pages([found])
            queued += 1
    return queued


def _note(item: _News, row: Subscription) -> str:
    return f"{item.text}\n\n{_page()}\nTo be told nothing more: {links.leave_url(row)}"


def _facts(item: _News, row: Subscription) -> dict[str, str]:
    return {"event": item.event, "ref": item.ref, "status_url": _page(), "leave_url": links.leave_url(row)}


def _page() -> str:
    return f"{settings.BASE_URL.rstrip('/')}{reverse('public-status')}"

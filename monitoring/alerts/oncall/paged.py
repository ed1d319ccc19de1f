"""What a page's link shows and does: the open alerts of the run that paged, and their acknowledgement."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from fleetledger.fleet.access import teams_visible_to
from monitoring.alerts import acts, clock
from monitoring.alerts.acting import actor
from monitoring.alerts.models import AlertState, Episode, Page
from monitoring.alerts.oncall import links
from monitoring.alerts.oncall.refused_links import (
    ClosedAccountError,
    ExpiredLinkError,
    NotSeenError,
    UnknownLinkError,
)
from monitoring.alerts.severities import rank

SHOWN = 50
COMMENT = "By the link of a page."


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not over. `acknowledged_by` is empty where a program did; `is_stale`: nobody hears of it."""

    alert_id: int
    name: str
    severity: str
    summary: str
    labels: Mapping[str, str]
    started_at: datetime
    is_stale: bool
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True, slots=True)
class Paged:
    """Who was paged when, and why. `alerts`: the first SHOWN of those `open`, before the others what nobody has.

    `waiting`: how many nobody has.
    """

    person: str
    at: datetime
    why: str
    escalation: str
    until_at: datetime
    alerts: tuple[OpenAlert, ...]
    open: int
    waiting: int

    @property
    def left_out(self) -> int:
        return self.open - len(self.alerts)


def paged(signed: str) -> Paged:
    """What the link is about; raises LinkError. Changes nothing."""
    return _paged(_page(signed))


def acknowledge(signed: str) -> tuple[Paged, acts.Acknowledged]:
    """Acknowledge all open alerts of the run in the person's name, once or again; raises LinkError.

    Whoever was paged may, whatever their role, as long as they see the alerts: the escalation chose them.
    """
    page = _page(signed)
    with transaction.atomic():
        # held, so that none of them ends and begins anew before it is acknowledged
        held = _open(page).select_for_update(no_key=True, of=("self",)).order_by("pk")
        done = acts.acknowledge([episode.alert_id for episode in held], actor(page.person), COMMENT)
    return _paged(page), done


def _page(signed: str) -> Page:
    """The page where the link may be used still."""
    link = links.read(signed)
    if link is None:
        raise UnknownLinkError
    if clock.now() >= link.until_at:
        raise ExpiredLinkError
    found = Page.objects.filter(pk=link.page_id, person=link.person_id)
    page = found.select_related("run__escalation", "person").first()
    if page is None or _link(page) != link:
        raise UnknownLinkError
    if not page.person.is_active:
        raise ClosedAccountError
    if page.run.team_id is not None and not teams_visible_to(page.person).allows(page.run.team_id):
        raise NotSeenError  # of the platform's alerts the page itself told
    return page


def _link(page: Page) -> links.Link:
    return links.link(page.pk, page.person_id, page.at, page.quiet_until_at)


def _open(page: Page) -> QuerySet[Episode]:
    return Episode.objects.filter(escalated__run=page.run_id, ended_at__isnull=True)


def _paged(page: Page) -> Paged:
    order = (F("acknowledged_at").asc(nulls_first=True), rank("alert__severity"), "started_at", "pk")
    rows = _open(page).select_related("alert", "acknowledged_by").order_by(*order)[:SHOWN]
    many = _open(page).aggregate(open=Count("pk"), waiting=Count("pk", filter=Q(acknowledged_at__isnull=True)))
    return Paged(
        person=page.person.get_full_name() or page.person.username,
        at=page.at,
        why=page.why,
        escalation=page.run.escalation.name,
        until_at=_link(page).until_at,
        alerts=tuple(map(_alert, rows)),
        open=many["open"],
        waiting=many["waiting"],
    )


def _alert(row: Episode) -> OpenAlert:
    alert, by = row.alert, row.acknowledged_by
    said = (alert.annotations.get(key) for key in ("summary", "description"))
    return OpenAlert(
        alert_id=alert.pk,
        name=alert.name,
        severity=alert.severity,
        summary=next(filter(None, said), ""),
        labels=alert.labels,
        started_at=row.started_at,
        is_stale=alert.state == AlertState.STALE,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=(by.get_full_name() or by.username) if by else "",
    )

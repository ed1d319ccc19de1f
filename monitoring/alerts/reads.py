"""What is wrong: alerts as rows with their state, filtered, counted and paged by the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, F, FilteredRelation, Max, Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.matchers import Matcher, Op
from monitoring.alerts.models import Alert, AlertState, Episode, IntakeSpan, Rule, RuleInstance, Sender
from monitoring.alerts.severities import rank
from monitoring.alerts.tenants import PLATFORM_SLUG

CSV_CHUNK = 2000
COUNTED = 1000
NO_TROUBLE = "none"  # of a watchdog, which fires always
SORTS: dict[str, tuple[str, ...]] = {
    "severity": ("severity_rank", "starts_at", "pk"),
    "-severity": ("-severity_rank", "starts_at", "pk"),
    "name": ("name", "severity_rank", "pk"),
    "-name": ("-name", "severity_rank", "pk"),
    "team": ("tenant", "severity_rank", "pk"),
    "-team": ("-tenant", "severity_rank", "pk"),
    "since": ("starts_at", "pk"),
    "-since": ("-starts_at", "-pk"),
}
_COLUMNS = (
    "id", "fingerprint", "name", "severity", "labels", "annotations", "generator_url", "state", "starts_at", "ended_at",
    "changed_at", "flapping_until", "team__name",
)  # fmt: skip


class Kind(StrEnum):
    """Which alerts: those that are open, or a part of them. `unknown` is what the database calls stale."""

    OPEN = "open"
    FIRING = "firing"
    UNKNOWN = "unknown"
    ACKNOWLEDGED = "acknowledged"
    WITHHELD = "withheld"
    RESOLVED = "resolved"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for. `words` must all stand in the name or the summary; `team` is a slug or "platform"."""

    kind: Kind = Kind.OPEN
    severity: str = ""
    team: str = ""
    matchers: tuple[Matcher, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it is now. `team` None is the platform's own; `state` is firing, unknown or resolved.

    `acknowledged_by` and `assigned_to` are names; empty where nobody.
    """

    id: int
    fingerprint: str
    name: str
    severity: str
    team: str | None
    team_name: str
    state: str
    is_withheld: bool
    is_flapping: bool
    started_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    assigned_to: str
    summary: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    generator_url: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are open, and how many of these are what. `pending` are our rules' that wait for their time."""

    open: int = 0
    firing: int = 0
    unknown: int = 0
    acknowledged: int = 0
    withheld: int = 0
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """Until when "nothing is wrong" was checked: the last word of a sender, of our rules, and of the intake itself."""

    sender_at: datetime | None
    rule_at: datetime | None
    intake_at: datetime | None
    senders: int
    rules: int

    @property
    def at(self) -> datetime | None:
        """The last word of anybody who could have raised an alert."""
        return max((at for at in (self.sender_at, self.rule_at) if at), default=None)


def visible(teams: TeamScope, field: str = "team") -> Q:
    """The rows of the tenants in `teams`; the platform's own for those who see the whole fleet."""
    return Q() if teams.fleet else Q(**{f"{field}__in": teams.team_ids})


def of_team(slug: str, field: str = "team") -> Q:
    """One tenant's rows, by the team's slug or "platform"; all where none is named."""
    if not slug:
        return Q()
    own = Q(**{f"{field}__slug": slug})
    return own | Q(**{f"{field}__isnull": True}) if slug == PLATFORM_SLUG else own


def matching(rows: QuerySet[Any], matchers: Sequence[Matcher], field: str = "labels") -> QuerySet[Any]:
    """The rows whose labels match. Expressions are asked of the distinct values, by the same RE2 that routes alerts."""
    for place, matcher in enumerate(matchers):
        if matcher.op.is_regex:
            alias = f"value_{place}"
            rows = rows.alias(**{alias: label(matcher.name, field)})
            values = set(rows.order_by().values_list(label(matcher.name, field), flat=True).distinct())
            rows = rows.filter(**{f"{alias}__in": [one for one in values if matcher.matches({matcher.name: one})]})
        else:
            equal = Q(**{f"{field}__contains": {matcher.name: matcher.value}})
            found = equal if matcher.value else ~Q(**{f"{field}__has_key": matcher.name})
            rows = rows.filter(found if matcher.op is Op.EQUAL else ~found)
    return rows


def label(name: str, field: str = "labels") -> Coalesce:
    """A label's value; a missing one is empty."""
    return Coalesce(KeyTextTransform(name, field), Value(""), output_field=TextField())


def found(wanted: Wanted, *, teams: TeamScope) -> QuerySet[Alert]:
    """The alerts that are wanted, with `now`: the open episode of each."""
    rows = Alert.objects.filter(visible(teams), of_team(wanted.team), _of_kind(wanted.kind)).annotate(
        now=FilteredRelation("episodes", condition=Q(episodes__ended_at__isnull=True)),
        tenant=Coalesce(F("team__slug"), Value(PLATFORM_SLUG)),
        severity_rank=rank(),
    )
    if wanted.severity:
        rows = rows.filter(severity=wanted.severity)
    for word in wanted.words:
        rows = rows.filter(Q(name__icontains=word) | Q(annotations__summary__icontains=word))
    rows = rows.filter(_of_episode(wanted.kind))
    return matching(rows, wanted.matchers)


def counts(wanted: Wanted, *, teams: TeamScope) -> Counts:
    """The open alerts in numbers, whatever kind is wanted."""
    is_acknowledged, is_withheld = Q(now__acknowledged_at__isnull=False), Q(now__is_withheld=True)
    sums = found(replace(wanted, kind=Kind.OPEN), teams=teams).aggregate(
        open=Count("pk"),
        firing=Count("pk", filter=Q(state=AlertState.FIRING)),
        unknown=Count("pk", filter=Q(state=AlertState.STALE)),
        acknowledged=Count("pk", filter=is_acknowledged),
        withheld=Count("pk", filter=is_withheld),
    )
    return Counts(**sums, pending=_pending(wanted, teams))


def alerts(
    wanted: Wanted, *, teams: TeamScope, at: datetime, sort: str = "severity", first: int = 0, limit: int = 50
) -> tuple[AlertRow, ...]:
    """A page of them; `at` is now, by which flapping ends."""
    rows = found(wanted, teams=teams).order_by(*SORTS.get(sort, SORTS["severity"]))
    return to_rows(rows[first : first + limit], at)


def needs_attention(*, teams: TeamScope, at: datetime, limit: int) -> tuple[tuple[AlertRow, ...], int]:
    """Open alerts that nobody has and nothing withholds, the worst first; and how many there are, up to 1,000."""
    has_nobody = Q(now__acknowledged_at__isnull=True, now__is_withheld=False)
    rows = found(Wanted(), teams=teams).filter(has_nobody)
    rows = rows.exclude(severity=NO_TROUBLE)
    return to_rows(rows.order_by(*SORTS["severity"])[:limit], at), rows.order_by()[:COUNTED].count()


def count_of_attention(*, teams: TeamScope) -> int:
    """The number alone, for the navigation."""
    open_ones = Episode.objects.filter(
        visible(teams, "alert__team"), ended_at__isnull=True, acknowledged_at__isnull=True, is_withheld=False
    )
    return open_ones.exclude(alert__severity=NO_TROUBLE)[:COUNTED].count()


def every_alert(wanted: Wanted, *, teams: TeamScope, at: datetime, sort: str = "severity") -> Iterator[AlertRow]:
    """All of them, for a download, read as it streams."""
    rows = found(wanted, teams=teams).order_by(*SORTS.get(sort, SORTS["severity"]))
    for values in _values(rows).iterator(chunk_size=CSV_CHUNK):
        yield _row(values, at)


def page_of_alerts(wanted: Wanted, cut: Cut, number: int | None, *, teams: TeamScope, at: datetime) -> list[AlertRow]:
    """Up to limit + 1 of them beside the one of this number, the newest first."""
    return list(to_rows(newest_first(found(wanted, teams=teams), cut, number), at))


def newest_first(rows: QuerySet[Any], cut: Cut, number: int | None) -> QuerySet[Any]:
    """Up to limit + 1 rows in the order of falling ids, from that of `number` on, or backwards from it."""
    if number is None:
        return rows.order_by("-pk")[: cut.limit + 1]
    beside = rows.filter(pk__gt=number).order_by("pk") if cut.backwards else rows.filter(pk__lt=number).order_by("-pk")
    return beside[: cut.limit + 1]


def to_rows(rows: QuerySet[Any], at: datetime) -> tuple[AlertRow, ...]:
    return tuple(_row(values, at) for values in _values(rows))


def severities(*, teams: TeamScope) -> tuple[str, ...]:
    """The words that open alerts have, the worst first."""
    open_ones = Alert.objects.filter(visible(teams), _of_kind(Kind.OPEN)).exclude(severity="")
    return tuple(open_ones.order_by(rank(), "severity").values_list("severity", flat=True).distinct())


def known_severities(*, teams: TeamScope) -> tuple[str, ...]:
    """The words that alerts of any time have, the worst first."""
    rows = Alert.objects.filter(visible(teams)).exclude(severity="").order_by(rank(), "severity")
    return tuple(rows.values_list("severity", flat=True).distinct())


def heard(*, teams: TeamScope) -> Heard:
    senders = Sender.objects.filter(visible(teams)).aggregate(at=Max("last_seen_at"), many=Count("pk"))
    rules = Rule.objects.filter(visible(teams), is_enabled=True).aggregate(at=Max("evaluated_at"), many=Count("pk"))
    intake_at = IntakeSpan.objects.aggregate(at=Max("until_at"))["at"]
    return Heard(senders["at"], rules["at"], intake_at, senders["many"], rules["many"])


def _of_kind(kind: Kind) -> Q:
    if kind in (Kind.FIRING, Kind.UNKNOWN):
        return Q(state=AlertState.FIRING if kind is Kind.FIRING else AlertState.STALE)
    if kind is Kind.ALL:
        return Q()
    resolved = Q(state=AlertState.RESOLVED)
    return resolved if kind is Kind.RESOLVED else ~resolved


def _of_episode(kind: Kind) -> Q:
    if kind is Kind.ACKNOWLEDGED:
        return Q(now__acknowledged_at__isnull=False)
    return Q(now__is_withheld=True) if kind is Kind.WITHHELD else Q()


def _pending(wanted: Wanted, teams: TeamScope) -> int:
    rows = RuleInstance.objects.filter(
        visible(teams), of_team(wanted.team), fired_at__isnull=True, rule__is_enabled=True
    )
    if wanted.severity:
        rows = rows.filter(labels__contains={"severity": wanted.severity})
    for word in wanted.words:
        rows = rows.filter(rule__name__icontains=word)
    return matching(rows, wanted.matchers).count()


def _values(rows: QuerySet[Any]) -> QuerySet[Any, dict[str, Any]]:
    return rows.values(
        *_COLUMNS,
        "tenant",
        acknowledged_at=F("now__acknowledged_at"),
        withheld=Coalesce(F("now__is_withheld"), Value(value=False)),
        acknowledged_by=person("now__acknowledged_by"),
        assigned_to=person("now__assigned_to"),
    )


def person(field: str) -> Coalesce:
    """How a person is called: by first name, else as they sign in."""
    return Coalesce(NullIf(F(f"{field}__first_name"), Value("")), F(f"{field}__username"), Value(""))


def _row(values: dict[str, Any], at: datetime) -> AlertRow:
    tenant: str = values["tenant"]
    annotations: dict[str, str] = values["annotations"]
    return AlertRow(
        id=values["id"],
        fingerprint=values["fingerprint"],
        name=values["name"],
        severity=values["severity"],
        team=None if values["team__name"] is None else tenant,
        team_name=values["team__name"] or "Platform",
        state="unknown" if values["state"] == AlertState.STALE else values["state"],
        is_withheld=values["withheld"],
        is_flapping=values["flapping_until"] is not None and values["flapping_until"] > at,
        started_at=values["starts_at"],
        changed_at=values["changed_at"],
        ended_at=values["ended_at"],
        acknowledged_at=values["acknowledged_at"],
        acknowledged_by=values["acknowledged_by"],
        assigned_to=values["assigned_to"],
        summary=annotations.get("summary") or annotations.get("title") or annotations.get("description", ""),
        labels=values["labels"],
        annotations=annotations,
        generator_url=values["generator_url"],
    )

"""What a person's settings about being paged are, as pages and the API show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from fleetledger.fleet.models import User
from fleetledger.lib.durations import duration_text
from monitoring.alerts.contacts import methods
from monitoring.alerts.contacts.trials import GOOD_FOR, MOST_ANSWERS
from monitoring.alerts.escalation.ways import BETWEEN_S
from monitoring.alerts.models import ChannelKind, ContactMethod, ContactTrial, Destination, PersonalRule, QuietHours


@dataclass(frozen=True, slots=True)
class Method:
    """`waits_for_code`: one was sent that can still be answered; `code_told` is what became of sending it."""

    id: int
    position: int
    kind: str
    kind_label: str
    label: str
    shown: str
    created_at: datetime
    verified_at: datetime | None
    vouched_by: str
    code_sent_at: datetime | None
    code_told: str
    waits_for_code: bool
    last_delivered_at: datetime | None
    last_error: str
    last_error_at: datetime | None

    @property
    def is_failing(self) -> bool:
        """Whether the last word about it is an error."""
        if self.last_error_at is None:
            return False
        return self.last_delivered_at is None or self.last_delivered_at < self.last_error_at


@dataclass(frozen=True, slots=True)
class Rule:
    method_id: int
    label: str
    after_s: int
    is_verified: bool

    @property
    def after(self) -> str:
        """Such as 5m."""
        return duration_text(timedelta(seconds=self.after_s))

    @property
    def after_minutes(self) -> int:
        return self.after_s // 60


@dataclass(frozen=True, slots=True)
class Quiet:
    from_time: time
    until_time: time
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """`rules` are those in force: the person's own, or where there are none one method every five minutes."""

    methods: tuple[Method, ...]
    rules: tuple[Rule, ...]
    has_own_rules: bool
    quiet: Quiet | None
    time_zone: str

    @property
    def is_reachable(self) -> bool:
        return any(rule.is_verified for rule in self.rules)


def settings_of(person: User, at: datetime) -> Settings:
    """Five statements, whatever the number of methods."""
    known = methods_of(person, at)
    own = rules_of(person, known)
    hours = QuietHours.objects.filter(user=person).first()
    quiet = Quiet(hours.from_time, hours.until_time, tuple(hours.days)) if hours else None
    return Settings(known, own or _by_default(known), bool(own), quiet, person.time_zone)


def methods_of(person: User, at: datetime) -> tuple[Method, ...]:
    """In the person's order."""
    rows = methods.live(person)
    trials = _newest_codes(rows)
    places = {row.contact_id: row for row in Destination.objects.filter(contact__in=rows)}
    return tuple(_method(row, trials.get(row.pk), places.get(row.pk), at) for row in rows)


def method(person: User, method_id: int, at: datetime) -> Method:
    """Raises UnknownMethodError."""
    row = methods.own(person, method_id)
    return _method(row, _newest_codes([row]).get(row.pk), Destination.objects.filter(contact=row).first(), at)


def rules_of(person: User, known: Sequence[Method]) -> tuple[Rule, ...]:
    """The person's own, in the order in which they page."""
    of = {one.id: one for one in known}
    rows = PersonalRule.objects.filter(user=person, method__in=of).order_by("after_s", "pk")
    return tuple(
        Rule(row.method_id, of[row.method_id].label, row.after_s, of[row.method_id].verified_at is not None)
        for row in rows
    )


def _by_default(known: Sequence[Method]) -> tuple[Rule, ...]:
    verified = [one for one in known if one.verified_at]
    return tuple(Rule(one.id, one.label, place * BETWEEN_S, is_verified=True) for place, one in enumerate(verified))


def _newest_codes(rows: Sequence[ContactMethod]) -> Mapping[int, ContactTrial]:
    found = ContactTrial.objects.filter(method__in=rows).exclude(digest="").order_by("method_id", "-sent_at", "-pk")
    return {row.method_id: row for row in found.distinct("method_id")}


def _method(row: ContactMethod, code: ContactTrial | None, place: Destination | None, at: datetime) -> Method:
    is_open = code is not None and code.sent_at + GOOD_FOR > at and code.tries < MOST_ANSWERS
    return Method(
        id=row.pk,
        position=row.position,
        kind=row.kind,
        kind_label=ChannelKind(row.kind).label,
        label=row.label,
        shown=row.shown,
        created_at=row.created_at,
        verified_at=row.verified_at,
        vouched_by=row.vouched_by,
        code_sent_at=code.sent_at if code else None,
        code_told=code.told if code else "",
        waits_for_code=is_open and row.verified_at is None,
        last_delivered_at=place.last_delivered_at if place else None,
        last_error=place.last_error if place else "",
        last_error_at=place.last_error_at if place else None,
    )

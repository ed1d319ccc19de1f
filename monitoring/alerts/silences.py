"""Silences with Alertmanager's rules: who makes one, changes one, ends one.

An active silence keeps its id while only its end, author and comment change; a pending one while it stays in the
future. Any other change ends it, and a new one takes its place, so that what was in force stays in the history.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError, NotFoundError
from monitoring.alerts.matchers import Matcher, MatcherError, of_json, to_json
from monitoring.alerts.models import Silence
from monitoring.alerts.tenants import Tenant

RETENTION = timedelta(hours=120)  # how long Alertmanager lists what has ended
_AUTHOR_WIDTH, _TEXT_WIDTH = 200, 10_000
SilenceId = str | uuid.UUID


class SilenceError(AlertsError):
    """A silence that cannot be made as asked."""

    http_status = 400


class Status(StrEnum):
    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


def status(silence: Silence, now: datetime) -> Status:
    return status_at(silence.starts_at, silence.ends_at, now)


def status_at(starts_at: datetime, ends_at: datetime, now: datetime) -> Status:
    """Of whatever is in force from a start until before its end."""
    if now < starts_at:
        return Status.PENDING
    return Status.ACTIVE if now < ends_at else Status.EXPIRED


def order(starts_at: datetime, ends_at: datetime, now: datetime) -> tuple[int, float]:
    """The key by which Alertmanager sorts silences: those in force by their end, to come by start, ended by end."""
    match status_at(starts_at, ends_at, now):
        case Status.ACTIVE:
            return 0, ends_at.timestamp()
        case Status.PENDING:
            return 1, starts_at.timestamp()
        case _:
            return 2, -ends_at.timestamp()


@transaction.atomic
def create_or_update(
    tenant: Tenant,
    matchers: Any,
    *,
    starts_at: datetime,
    ends_at: datetime,
    created_by: str,
    comment: str,
    silence_id: SilenceId | None = None,
    user: User | None = None,
) -> Silence:
    """Make a silence, or change the one with this id. `matchers` as Alertmanager's API has them.

    Raises SilenceError, and NotFoundError for an id that this tenant does not have.
    """
    now = clock.now()
    wanted = stored(matchers)
    _check_times(starts_at, ends_at, now)
    silence = Silence(team_id=tenant.team_id, matchers=wanted, starts_at=max(starts_at, now))
    if silence_id:
        old = _locked(tenant, silence_id)
        if _keeps_its_id(old, wanted, starts_at, now):
            silence = old
            silence.starts_at = old.starts_at if status(old, now) == Status.ACTIVE else starts_at
        else:
            _end(old, now)
    silence.ends_at, silence.updated_at, silence.user = ends_at, now, user
    silence.created_by, silence.comment = _checked(created_by, _AUTHOR_WIDTH), _checked(comment)
    silence.save()
    clock.ring()
    return silence


@transaction.atomic
def expire(tenant: Tenant, silence_id: SilenceId) -> Silence:
    """End a silence now; one that has ended stays as it is. Raises NotFoundError."""
    silence = _locked(tenant, silence_id)
    _end(silence, clock.now())
    clock.ring()
    return silence


def one(tenant: Tenant, silence_id: SilenceId) -> Silence:
    """Raises NotFoundError, for another tenant's as well."""
    found = _of(tenant).filter(pk=_as_uuid(silence_id)).first()
    if found is None:
        raise _unknown(silence_id)
    return found


def listed(tenant: Tenant, filters: Sequence[Matcher] = ()) -> tuple[Silence, ...]:
    """Those in force, by their end; those to come, by their start; those that ended lately, the last first.

    Each of `filters` must be one of a silence's own matchers, name, value and all.
    """
    now = clock.now()
    rows = _of(tenant).filter(ends_at__gt=now - RETENTION)
    found = [row for row in rows if has_matchers(row.matchers, filters)]
    return tuple(sorted(found, key=lambda row: order(row.starts_at, row.ends_at, now)))


def has_matchers(matchers: Sequence[dict[str, Any]], filters: Sequence[Matcher]) -> bool:
    """Whether each of `filters` is among `matchers`, which is how Alertmanager filters silences."""
    return all(to_json(wanted) in matchers for wanted in filters)


def stored(matchers: Any) -> list[dict[str, Any]]:
    """Matchers as rows keep them, of which one must ask for something; raises SilenceError."""
    if not isinstance(matchers, list) or not matchers:
        raise SilenceError("A silence needs a list of matchers with at least one in it.")
    try:
        found = [of_json(item) for item in matchers]
    except MatcherError as error:
        raise SilenceError(str(error)) from error
    if any("\x00" in matcher.value for matcher in found):
        raise SilenceError("A matcher's value must not have a NUL character.")
    if all(matcher.matches_empty() for matcher in found):
        raise SilenceError(
            "At least one matcher must not match the empty string, or the silence would hide everything."
        )
    return [to_json(matcher) for matcher in found]


def _check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if starts_at >= ends_at:
        raise SilenceError("A silence's start time must be before its end time.")
    if ends_at < now:
        raise SilenceError("A silence's end time can't be in the past. Give a later one.")


def _keeps_its_id(old: Silence, matchers: list[dict[str, Any]], starts_at: datetime, now: datetime) -> bool:
    if old.matchers != matchers:
        return False
    match status(old, now):
        case Status.ACTIVE:
            return _to_milliseconds(old.starts_at) == _to_milliseconds(starts_at)
        case Status.PENDING:
            return starts_at >= now
        case _:
            return False


def _end(silence: Silence, now: datetime) -> None:
    """An active one ends now; a pending one never was."""
    if status(silence, now) == Status.EXPIRED:
        return
    silence.starts_at = min(silence.starts_at, now)
    silence.ends_at = silence.updated_at = now
    silence.save(update_fields=["starts_at", "ends_at", "updated_at"])


def _of(tenant: Tenant) -> QuerySet[Silence]:
    return Silence.objects.filter(Q(team_id=tenant.team_id))


def _locked(tenant: Tenant, silence_id: SilenceId) -> Silence:
    found = _of(tenant).select_for_update().filter(pk=_as_uuid(silence_id)).first()
    if found is None:
        raise _unknown(silence_id)
    return found


def _as_uuid(silence_id: SilenceId) -> uuid.UUID:
    try:
        return uuid.UUID(str(silence_id))
    except ValueError:
        raise _unknown(silence_id) from None


def _unknown(silence_id: SilenceId) -> NotFoundError:
    return NotFoundError(f"No silence has the id '{str(silence_id)[:64]}'.")


def _to_milliseconds(at: datetime) -> datetime:
    """As precise as the API tells instants: a client that sends back what it read has changed nothing."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _checked(text: str, width: int = _TEXT_WIDTH) -> str:
    if len(text) > width or "\x00" in text:
        raise SilenceError(f"'{text[:40]}' is too long for createdBy or comment ({width} characters), or has a NUL.")
    return text

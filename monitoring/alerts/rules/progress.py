"""How instances of a rule move on: pending, firing, kept firing, gone. Prometheus' steps, without a database.

1. A new set of labels is pending since `at`. 2. Pending for `for_s`, it fires. 3. No longer seen: pending ones are
dropped; firing ones are kept for `keep_s` from the first evaluation without them, then dropped. 4. Seen again while
kept, it goes on firing as if nothing had been.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

Key = tuple[int | None, str]
"""The tenant's team and the fingerprint of the labels."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One set of labels for which the rule holds at an instant, for one tenant."""

    team_id: int | None
    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float

    @property
    def key(self) -> Key:
        return self.team_id, self.fingerprint


@dataclass(frozen=True, slots=True)
class Instance:
    """What is known of a set of labels between evaluations."""

    seen: Seen
    active_at: datetime
    fired_at: datetime | None = None
    keep_until: datetime | None = None

    @property
    def is_firing(self) -> bool:
        return self.fired_at is not None


@dataclass(frozen=True, slots=True)
class Terms:
    """`unwatched`: time since the last good evaluation that must not count as if the rule had held."""

    for_s: float
    keep_s: float = 0.0
    unwatched: timedelta = timedelta()


def advance(
    standing: Mapping[Key, Instance], seen: Mapping[Key, Seen], at: datetime, terms: Terms
) -> dict[Key, Instance]:
    """The instances after an evaluation at `at` that saw `seen`; who is missing from the result is gone."""
    return {instance.seen.key: instance for instance in _moved(standing, seen, at, terms)}


def _moved(
    standing: Mapping[Key, Instance], seen: Mapping[Key, Seen], at: datetime, terms: Terms
) -> Iterator[Instance]:
    for key, now in seen.items():
        known = standing.get(key)
        yield _still(known, now, at, terms) if known else _fired(Instance(now, at), at, terms)
    for key, instance in standing.items():
        kept = None if key in seen else _kept(instance, at, terms)
        if kept is not None:
            yield kept


def _still(known: Instance, now: Seen, at: datetime, terms: Terms) -> Instance:
    active_at = known.active_at if known.is_firing else min(at, known.active_at + terms.unwatched)
    return _fired(replace(known, seen=now, active_at=active_at, keep_until=None), at, terms)


def _fired(instance: Instance, at: datetime, terms: Terms) -> Instance:
    is_due = at - instance.active_at >= timedelta(seconds=terms.for_s)
    return replace(instance, fired_at=at) if is_due and not instance.is_firing else instance


def _kept(instance: Instance, at: datetime, terms: Terms) -> Instance | None:
    if not instance.is_firing:
        return None
    until = instance.keep_until or at + timedelta(seconds=terms.keep_s)
    return replace(instance, keep_until=until) if at < until else None

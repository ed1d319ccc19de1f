"""Whose usage and whose bill rows: the ownership rules in force on a day, asked in order."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from fleetledger.fleet.models import OwnershipRule
from fleetledger.fleet.patterns import compiled

KEYS = ("cluster", "namespace", "node", "workload", "gpu_model", "pool")
_CACHED_DAYS = 40
_CACHED_NAMES = 200_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the configuration's `ownership`. Days are UTC, [valid_from, valid_until)."""

    team_id: int
    match: Mapping[str, Any]
    valid_from: date | None = None
    valid_until: date | None = None

    @classmethod
    def of(cls, row: OwnershipRule) -> Self:
        return cls(row.team_id, row.match, row.valid_from, row.valid_until)

    @property
    def canonical(self) -> str:
        return json.dumps(self.match, sort_keys=True)

    def is_in_force(self, day: date) -> bool:
        starts = self.valid_from is None or self.valid_from <= day
        return starts and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class Change:
    """From which day on decisions may differ; None: from the first."""

    from_day: date | None


@dataclass(frozen=True, slots=True)
class _Matcher:
    team_id: int
    names: tuple[tuple[int, re.Pattern[str]], ...]  # position in KEYS, what must match there
    tags: Mapping[str, str]

    def fits(self, values: Sequence[str]) -> bool:
        return all(pattern.fullmatch(values[place]) for place, pattern in self.names)

    def fits_tags(self, tags: Mapping[str, str]) -> bool:
        return all(tags.get(name) == value for name, value in self.tags.items())


@dataclass(slots=True)
class Resolver:
    """Answers for any instant; loads the rules once, so make a new one for each piece of work."""

    rules: Sequence[Rule]
    _days: dict[date, list[_Matcher]] = field(default_factory=dict)
    _teams: dict[tuple[date, tuple[str, ...]], int | None] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Self:
        """The rules as they are stored now, in one query."""
        return cls([Rule.of(row) for row in OwnershipRule.objects.all()])

    def team_for(
        self,
        at: datetime,
        *,
        cluster: str = "",
        namespace: str = "",
        node: str = "",
        workload: str = "",
        gpu_model: str = "",
        pool: str = "",
    ) -> int | None:
        """The team that owns what these names hold at `at`, by the rules without tags; None: nobody."""
        names = (cluster, namespace, node, workload, gpu_model, pool)
        key = (_day(at), names)
        if key not in self._teams:
            if len(self._teams) >= _CACHED_NAMES:
                self._teams.clear()
            self._teams[key] = self._first(key[0], names)
        return self._teams[key]

    def team_for_tags(
        self,
        at: datetime,
        tags: Mapping[str, str],
        *,
        cluster: str = "",
        namespace: str = "",
        node: str = "",
        workload: str = "",
        gpu_model: str = "",
        pool: str = "",
    ) -> int | None:
        """The team of a bill row with these tags, by the rules that name tags; other keys must match as well."""
        names = (cluster, namespace, node, workload, gpu_model, pool)
        for rule in self._in_force(_day(at)):
            if rule.tags and rule.fits_tags(tags) and rule.fits(names):
                return rule.team_id
        return None

    def _first(self, day: date, names: Sequence[str]) -> int | None:
        for rule in self._in_force(day):
            if not rule.tags and rule.fits(names):
                return rule.team_id
        return None

    def _in_force(self, day: date) -> list[_Matcher]:
        if day not in self._days:
            if len(self._days) >= _CACHED_DAYS:
                self._days.clear()
                self._teams.clear()
            self._days[day] = [_matcher(rule) for rule in in_force(self.rules, day)]
        return self._days[day]


def in_force(rules: Iterable[Rule], day: date) -> list[Rule]:
    """The rules that count on `day`, in order. Of several with the same match, the latest `from` takes their place."""
    latest: dict[str, Rule] = {}
    for rule in rules:
        if rule.is_in_force(day):
            known = latest.get(rule.canonical)
            if known is None or (rule.valid_from or date.min) > (known.valid_from or date.min):
                latest[rule.canonical] = rule  # a dict keeps the place of the first
    return list(latest.values())


def change_between(old: Sequence[Rule], new: Sequence[Rule]) -> Change | None:
    """The first day on which `old` and `new` decide differently, or None where they never do."""
    edges = {day for rule in (*old, *new) for day in (rule.valid_from, rule.valid_until) if day is not None}
    if edges and _differ(old, new, min(edges) - timedelta(days=1)):
        return Change(None)
    for day in sorted(edges):
        if _differ(old, new, day):
            return Change(day)
    return Change(None) if not edges and _differ(old, new, date(2000, 1, 1)) else None


def _differ(old: Sequence[Rule], new: Sequence[Rule], day: date) -> bool:
    def decisions(rules: Sequence[Rule]) -> list[tuple[str, int]]:
        return [(rule.canonical, rule.team_id) for rule in in_force(rules, day)]

    return decisions(old) != decisions(new)


def _matcher(rule: Rule) -> _Matcher:
    names = tuple((place, compiled(str(rule.match[key]))) for place, key in enumerate(KEYS) if key in rule.match)
    return _Matcher(rule.team_id, names, {str(key): str(value) for key, value in rule.match.get("tags", {}).items()})


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()

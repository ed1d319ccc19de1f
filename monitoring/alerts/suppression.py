"""What withholds an alert's notifications now: silences, inhibition by another alert, maintenance."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

from django.db.models import Q

from monitoring.alerts import trees
from monitoring.alerts.labels import Labels
from monitoring.alerts.matchers import Matcher, all_match, of_json
from monitoring.alerts.models import Alert, AlertState, Maintenance, Silence
from monitoring.alerts.routing import InhibitRule


@dataclass(frozen=True, slots=True)
class Withheld:
    """Ids of silences and maintenance windows, and fingerprints of the alerts that inhibit; false when empty."""

    silences: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    maintenance: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.silences or self.inhibited_by or self.maintenance)

    @property
    def words(self) -> str:
        """For a history: by what."""
        parts = (
            ("silence", self.silences),
            ("inhibited by", self.inhibited_by),
            ("maintenance", self.maintenance),
        )
        return "; ".join(f"{name} {', '.join(ids)}" for name, ids in parts if ids)


NOTHING = Withheld()


def withheld(team_id: int | None, alerts: Sequence[Alert], now: datetime) -> dict[int, Withheld]:
    """What withholds each of `alerts`, all of one tenant, by the alert's id; free ones are absent."""
    suppressor = Suppressor(team_id, now)
    return {alert.pk: found for alert in alerts if (found := suppressor.of(alert))}


class Suppressor:
    """One tenant's silences, maintenance windows and inhibition at one instant, read once for many alerts."""

    def __init__(self, team_id: int | None, now: datetime) -> None:
        self._silences = _in_force(Silence.objects.filter(Q(team_id=team_id)), now)
        self._maintenance = _in_force(Maintenance.objects.filter(Q(team_id=team_id)), now)
        self._inhibition = _Inhibition(team_id)

    def of(self, alert: Alert) -> Withheld:
        """What withholds this alert."""
        found = Withheld(
            silences=_fitting(self._silences, alert.labels),
            inhibited_by=self._inhibition.of(alert),
            maintenance=_fitting(self._maintenance, alert.labels),
        )
        return found or NOTHING


@dataclass(frozen=True, slots=True)
class _Quiet:
    id: str
    matchers: tuple[Matcher, ...]


class _Inhibition:
    """Which open alerts inhibit which; open alerts are read only where there are rules."""

    def __init__(self, team_id: int | None) -> None:
        self._team_id = team_id
        self._rules = trees.tree_for(team_id).inhibit_rules

    def of(self, alert: Alert) -> tuple[str, ...]:
        """The fingerprint of what inhibits it. What is source and target is inhibited by none that is both."""
        return next(filter(None, (self._by(number, rule, alert) for number, rule in enumerate(self._rules))), ())

    def _by(self, number: int, rule: InhibitRule, alert: Alert) -> tuple[str, ...]:
        if not rule.is_target(alert.labels):
            return ()
        agreement = rule.agreement(alert.labels)
        if agreement is None:
            return ()
        is_source_too = rule.is_source(alert.labels)
        others = (
            source.fingerprint
            for source in self._sources[number].get(agreement, ())
            if source.fingerprint != alert.fingerprint and not (is_source_too and rule.is_target(source.labels))
        )
        return tuple(islice(others, 1))

    @cached_property
    def _sources(self) -> list[dict[tuple[str, ...], list[Alert]]]:
        """For each rule its sources by what they agree in."""
        found: list[dict[tuple[str, ...], list[Alert]]] = [defaultdict(list) for _ in self._rules]
        still = Alert.objects.filter(Q(team_id=self._team_id)).exclude(state=AlertState.RESOLVED)
        for alert in still.only("fingerprint", "labels").order_by("pk"):
            for rule, sources in zip(self._rules, found, strict=True):
                if rule.is_source(alert.labels) and (agreement := rule.agreement(alert.labels)) is not None:
                    sources[agreement].append(alert)
        return found


def _in_force(rows: Any, now: datetime) -> list[_Quiet]:
    live = rows.filter(starts_at__lte=now, ends_at__gt=now).order_by("starts_at", "pk")
    return [_Quiet(str(row.pk), tuple(map(of_json, row.matchers))) for row in live]


def _fitting(quiets: Iterable[_Quiet], labels: Labels) -> tuple[str, ...]:
    return tuple(quiet.id for quiet in quiets if all_match(quiet.matchers, labels))


Suppressors = Callable[[int | None], Suppressor]


def suppressors(now: datetime) -> Suppressors:
    """One suppressor per tenant, made when first asked for."""
    made: dict[int | None, Suppressor] = {}

    def of(team_id: int | None) -> Suppressor:
        if team_id not in made:
            made[team_id] = Suppressor(team_id, now)
        return made[team_id]

    return of

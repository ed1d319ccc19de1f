"""Who bears a bill row that belongs to no node: the team its tags name, or the reason why there is none."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from costs.models import Reason
from fleetledger.fleet.ownership import Resolver, in_force

_INSTANCE = re.compile(r"\b(instance|virtual ?machines?|vm)\b", re.IGNORECASE)
_CACHED = 200_000


@dataclass(frozen=True, slots=True)
class Bearer:
    """A team, or the reason why the money is unallocated."""

    team_id: int | None
    reason: str = ""


@dataclass(slots=True)
class TagBearers:
    """Answers for tags on a day; rules are loaded once. What no tag decides is told apart by what is wrong with it."""

    resolver: Resolver
    _keys: dict[date, frozenset[str]] = field(default_factory=dict)
    _known: dict[tuple[str, bool, date], Bearer] = field(default_factory=dict)

    def bearer(self, tags: str, *, is_instance: bool, day: date) -> Bearer:
        """`tags` is the column's text; `is_instance`: a machine that should have been a node."""
        key = (tags, is_instance, day)
        if key not in self._known:
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[key] = self._decide(tags, day, is_instance=is_instance)
        return self._known[key]

    def _decide(self, tags: str, day: date, *, is_instance: bool) -> Bearer:
        pairs = parse_tags(tags)
        if pairs is None:
            return Bearer(None, Reason.TAGS_UNREADABLE)
        texts = {name: as_text(value) for name, value in pairs.items() if value is not None}
        team_id = self.resolver.team_for_tags(datetime.combine(day, time(), UTC), texts)
        if team_id is not None:
            return Bearer(team_id)
        reason = self._reason(pairs, day)
        if reason is Reason.TAG_MISSING and is_instance:
            return Bearer(None, Reason.NO_NODE)
        return Bearer(None, reason)

    def _reason(self, pairs: Mapping[str, object], day: date) -> Reason:
        wanted = self._wanted(day)
        present = wanted & pairs.keys()
        if any(pairs[name] is None for name in present):
            return Reason.TAG_NULL
        if any(name.strip() in wanted and name not in wanted for name in pairs):
            return Reason.TAG_SPACED
        return Reason.TAG_UNKNOWN if present else Reason.TAG_MISSING

    def _wanted(self, day: date) -> frozenset[str]:
        """The tag keys that some rule of the day asks for."""
        if day not in self._keys:
            rules = in_force(self.resolver.rules, day)
            self._keys[day] = frozenset(str(name) for rule in rules for name in rule.match.get("tags", {}))
        return self._keys[day]


def parse_tags(tags: str) -> dict[str, object] | None:
    """The tags as a mapping, empty where there are none, None where they are no JSON object."""
    if not tags.strip():
        return {}
    try:
        pairs = json.loads(tags)
    except ValueError:
        return None
    return pairs if isinstance(pairs, dict) else None


def as_text(value: object) -> str:
    """A tag's value as rules write it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def is_machine(resource_type: str, segment: str) -> bool:
    """Whether a resource is an instance, which should be a node of the fleet."""
    return segment.startswith("i-") or _INSTANCE.search(resource_type) is not None

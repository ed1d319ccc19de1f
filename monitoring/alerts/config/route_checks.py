"""What is wrong with routes and inhibit rules that the schema cannot see, in Alertmanager's sense."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.lib.durations import DurationError
from monitoring.alerts import intervals, routing
from monitoring.alerts.labels import is_name
from monitoring.alerts.matchers import MatcherError, of_map, parse_all
from monitoring.alerts.tenants import PLATFORM_SLUG

Document = Mapping[str, Any]
Problem = tuple[Path, str]
INTERVAL_KEYS = ("mute_time_intervals", "active_time_intervals")
NOT_ON_THE_ROOT = ("matchers", "match", "match_re", "continue", *INTERVAL_KEYS)
DURATIONS = ("group_wait", "group_interval", "repeat_interval")
MAY_BE_ZERO = "group_wait"


@dataclass(frozen=True, slots=True)
class Names:
    """What routes of `tenant` may name. `escalations`: the tenant that has each, by name; None: not looked at."""

    receivers: Collection[str]
    time_intervals: Collection[str] = ()
    escalations: Mapping[str, str] | None = None
    tenant: str = PLATFORM_SLUG


def of_route(route: Document, path: Path, names: Names) -> Iterator[Problem]:
    """The mistakes of a whole tree."""
    for key in NOT_ON_THE_ROOT:
        if route.get(key):
            yield (*path, key), f"The first route takes every alert, so it has no '{key}'. Put it under 'routes'."
    yield from _of_node(route, path, names)


def of_time_intervals(documents: Sequence[Document], path: Path) -> Iterator[Problem]:
    """Intervals that stand twice, and entries that say what no calendar has."""
    names = [item["name"] for item in documents]
    for index, item in enumerate(documents):
        if item["name"] in names[:index]:
            yield (*path, index, "name"), f"The time interval '{item['name']}' stands twice."
        for place, entry in enumerate(item["time_intervals"]):
            for sentence in intervals.entry_problems(entry):
                yield (*path, index, "time_intervals", place), sentence


def of_inhibit_rules(rules: Sequence[Document], path: Path) -> Iterator[Problem]:
    for index, rule in enumerate(rules):
        at = (*path, index)
        for side in ("source", "target"):
            found = list(_of_matchers(rule, at, f"{side}_"))
            yield from found
            if not found and not routing.matchers_of(rule, f"{side}_"):
                yield at, f"An inhibit rule needs '{side}_matchers': without them it is about every alert."
        yield from _names(rule.get("equal", ()), (*at, "equal"))


def unknown_receiver(name: str, known: Collection[str]) -> str:
    """'No receiver is called …' with the one that was meant, and the known ones."""
    close = get_close_matches(name, known, n=1)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    names = ", ".join(list(known)[:20])
    return f"No receiver is called '{name}'.{meant} " + (f"Known: {names}." if names else "Add it under 'receivers'.")


def _unknown_interval(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    meant = f" Did you mean '{close[0]}'?" if close else " Add it under 'time_intervals'."
    return f"No time interval is called '{name}'.{meant}"


def _of_node(route: Document, path: Path, names: Names) -> Iterator[Problem]:
    receiver = route.get("receiver")
    if receiver is not None and receiver not in names.receivers:
        yield (*path, "receiver"), unknown_receiver(receiver, names.receivers)
    for key in INTERVAL_KEYS:
        for index, name in enumerate(route.get(key, ())):
            if name not in names.time_intervals:
                yield (*path, key, index), _unknown_interval(name, names.time_intervals)
    yield from _escalations(route.get("escalation"), (*path, "escalation"), names)
    for key in DURATIONS:
        if key in route:
            yield from of_duration(key, route[key], (*path, key))
    yield from _group_by(route.get("group_by", ()), (*path, "group_by"))
    yield from _of_matchers(route, path)
    for index, child in enumerate(route.get("routes", ())):
        yield from _of_node(child, (*path, "routes", index), names)


def _escalations(named: str | Document | None, path: Path, names: Names) -> Iterator[Problem]:
    """A name, or names by severity."""
    if named is None or names.escalations is None:
        return
    for where, name in [((), named)] if isinstance(named, str) else [((key,), name) for key, name in named.items()]:
        if sentence := _escalation(name, names.escalations, names.tenant):
            yield (*path, *where), sentence


def _escalation(name: str, known: Mapping[str, str], tenant: str) -> str:
    """Why a tree of `tenant` cannot name it; empty where it can."""
    if name not in known:
        close = get_close_matches(name, known, n=1)
        meant = f" Did you mean '{close[0]}'?" if close else " Add it under 'escalations'."
        return f"No escalation is called '{name}'.{meant}"
    if known[name] in (tenant, PLATFORM_SLUG):
        return ""
    own = "the platform's" if tenant == PLATFORM_SLUG else f"those of the team '{tenant}' or the platform's"
    return (
        f"The escalation '{name}' is the team {known[name]}'s, and pages nobody for others. "
        f"Name one of {own}, or take 'team' out of the escalation to share it."
    )


def of_duration(key: str, text: str, path: Path) -> Iterator[Problem]:
    try:
        seconds = routing.seconds(text)
    except DurationError as error:
        yield path, str(error)
    else:
        if not seconds and key != MAY_BE_ZERO:
            yield path, f"'{key}' is longer than nothing. Write it as 5m."


def _group_by(names: Sequence[str], path: Path) -> Iterator[Problem]:
    if routing.ALL_LABELS in names:
        if len(names) > 1:
            yield path, "'...' stands for all labels, so it stands alone."
        return
    yield from _names(names, path)


def _names(names: Sequence[str], path: Path) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if not is_name(name):
            yield (*path, index), f"'{name[:80]}' names no label. A label's name is made of letters, digits and _."
        elif name in names[:index]:
            yield (*path, index), f"The label '{name}' stands twice."


def _of_matchers(document: Document, path: Path, prefix: str = "") -> Iterator[Problem]:
    """The mistakes of `match`, `match_re` and `matchers`, each at its own line."""
    for key, regex in (("match", False), ("match_re", True)):
        for name, value in document.get(f"{prefix}{key}", {}).items():
            yield from _matcher(name, value, (*path, f"{prefix}{key}", name), regex=regex)
    for index, text in enumerate(document.get(f"{prefix}matchers", ())):
        try:
            parse_all(text)
        except MatcherError as error:
            yield (*path, f"{prefix}matchers", index), str(error)


def _matcher(name: str, value: str, path: Path, *, regex: bool) -> Iterator[Problem]:
    try:
        of_map({name: value}, regex=regex)
    except MatcherError as error:
        yield path, str(error)

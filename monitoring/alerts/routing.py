"""Where an alert goes: the tree of routes with its inheritance, the labels that group, and what inhibits what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleetledger.lib.durations import parse_duration
from monitoring.alerts.labels import Labels
from monitoring.alerts.matchers import Matcher, all_match, all_to_text, in_order, of_map, parse_all

Document = Mapping[str, Any]
ALL_LABELS = "..."
DEFAULT_SEVERITY = "default"
GROUP_WAIT_S, GROUP_INTERVAL_S, REPEAT_INTERVAL_S = 30.0, 300.0, 14_400.0


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree with what it inherits from above. `group_by` None: by all labels.

    `path` is the matchers from the root down, as Alertmanager's group keys have it. Among siblings of the same matchers
    the later ones are numbered, so that it is unique; what stands elsewhere in the tree does not change it.
    `escalation`: names by severity, `default` for every other. Time intervals are not inherited, as in Alertmanager.
    """

    path: str
    receiver: str
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = ()
    group_wait_s: float = GROUP_WAIT_S
    group_interval_s: float = GROUP_INTERVAL_S
    repeat_interval_s: float = REPEAT_INTERVAL_S
    continues: bool = False
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    escalation: tuple[tuple[str, str], ...] = ()
    routes: tuple["Route", ...] = ()

    def escalation_for(self, severity: str) -> str | None:
        """The name of the escalation of alerts of this severity."""
        named = dict(self.escalation)
        return named.get(severity.lower(), named.get(DEFAULT_SEVERITY))


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """A firing alert that `source` matches withholds those that `target` matches, where labels `equal` agree.

    A missing label equals an empty one; `strict`: where one is missing, nothing is inhibited.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    strict: bool = False

    def is_source(self, labels: Labels) -> bool:
        return all_match(self.source, labels)

    def is_target(self, labels: Labels) -> bool:
        return all_match(self.target, labels)

    def agreement(self, labels: Labels) -> tuple[str, ...] | None:
        """What source and target must have the same; None: `labels` lack some and the rule is strict."""
        values = tuple(labels.get(name, "") for name in self.equal)
        return None if self.strict and "" in values else values


def route_of(document: Document) -> Route:
    """The tree of a configuration's `route`; raises MatcherError and DurationError."""
    return _route(document, Route(path="", receiver=""), "{}")


def matched(root: Route, labels: Labels) -> tuple[Route, ...]:
    """The routes that an alert takes: the first that matches on each level, and those after one that continues."""
    return tuple(_matched(root, labels)) or (root,)


def every(root: Route) -> Iterator[Route]:
    """The tree's routes, each before those below it."""
    yield root
    for route in root.routes:
        yield from every(route)


def by_path(root: Route, path: str) -> Route | None:
    """The route that a group was made by; None where the tree has it no more."""
    return next((route for route in every(root) if route.path == path), None)


def group_labels(route: Route, labels: Labels) -> dict[str, str]:
    """The labels that alerts of one message share; one that the alert lacks is left out."""
    return {name: value for name, value in labels.items() if route.group_by is None or name in route.group_by}


def inhibit_rules_of(document: Iterable[Document]) -> tuple[InhibitRule, ...]:
    """A configuration's `inhibit_rules`; raises MatcherError."""
    return tuple(
        InhibitRule(
            source=matchers_of(item, "source_"),
            target=matchers_of(item, "target_"),
            equal=tuple(item.get("equal") or ()),
            strict=bool(item.get("strict")),
        )
        for item in document
    )


def matchers_of(document: Document, prefix: str = "") -> tuple[Matcher, ...]:
    """All of `match`, `match_re` and `matchers`, in Alertmanager's order; raises MatcherError."""
    found = [
        *of_map(document.get(f"{prefix}match") or {}, regex=False),
        *of_map(document.get(f"{prefix}match_re") or {}, regex=True),
    ]
    for text in document.get(f"{prefix}matchers") or ():
        found += parse_all(text)
    return in_order(found)


def seconds(text: str) -> float:
    """A duration such as 30s, or 0s; raises DurationError."""
    return parse_duration(text, may_be_zero=True).total_seconds()


def _matched(route: Route, labels: Labels) -> Iterator[Route]:
    if not all_match(route.matchers, labels):
        return
    is_taken = False
    for child in route.routes:
        below = tuple(_matched(child, labels))
        yield from below
        is_taken = is_taken or bool(below)
        if below and not child.continues:
            break
    if not is_taken:
        yield route


def _route(document: Document, above: Route, path: str) -> Route:
    own = Route(
        path=path,
        receiver=document.get("receiver") or above.receiver,
        matchers=matchers_of(document),
        group_by=_group_by(document.get("group_by"), above.group_by),
        group_wait_s=_seconds_or(document.get("group_wait"), above.group_wait_s),
        group_interval_s=_seconds_or(document.get("group_interval"), above.group_interval_s),
        repeat_interval_s=_seconds_or(document.get("repeat_interval"), above.repeat_interval_s),
        continues=bool(document.get("continue")),
        mute_time_intervals=tuple(document.get("mute_time_intervals") or ()),
        active_time_intervals=tuple(document.get("active_time_intervals") or ()),
        escalation=_escalation(document.get("escalation"), above.escalation),
    )
    return _with_children(own, document.get("routes") or ())


def _with_children(own: Route, documents: Iterable[Document]) -> Route:
    seen: Counter[str] = Counter()
    children = []
    for child in documents:
        path = f"{own.path}/{all_to_text(matchers_of(child))}"
        children.append(_route(child, own, f"{path}/{seen[path]}" if seen[path] else path))
        seen[path] += 1
    return replace(own, routes=tuple(children))


def _group_by(names: Iterable[str] | None, above: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """An empty list says nothing, as in Alertmanager."""
    own = tuple(names or ())
    if not own:
        return above
    return None if ALL_LABELS in own else own


def _escalation(
    named: str | Mapping[str, str] | None, above: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    if named is None:
        return above
    by_severity = {DEFAULT_SEVERITY: named} if isinstance(named, str) else named
    return tuple((severity.lower(), name) for severity, name in by_severity.items())


def _seconds_or(text: str | None, above: float) -> float:
    return above if text is None else seconds(text)

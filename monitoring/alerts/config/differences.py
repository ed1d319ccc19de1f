"""What changed between two trees, in the words of a configuration's difference."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fleetledger.fleet.config import plan as plans
from fleetledger.fleet.config.plan import Plan
from monitoring.alerts import routing
from monitoring.alerts.matchers import all_to_text
from monitoring.alerts.trees import TreeDocument

Document = Mapping[str, Any]
Things = Mapping[str, Document]
_ROUTE_KEYS = (
    "receiver",
    "escalation",
    "group_by",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "continue",
    "mute_time_intervals",
    "active_time_intervals",
)
NOTHING = TreeDocument({})


def tell(plan: Plan, slug: str, before: TreeDocument, after: TreeDocument) -> None:
    """Note each receiver, route and inhibit rule that was added, changed or removed; else that the order is another."""
    known = len(plan.changes)
    of_parts: Sequence[tuple[str, Callable[[TreeDocument], Things]]] = (
        ("receiver", _receivers),
        ("route", _routes),
        ("inhibit rule", _rules),
        ("time interval", _intervals),
    )
    for thing, of in of_parts:
        _compare(plan, thing, slug, of(before), of(after))
    if len(plan.changes) == known:
        plan.changed("routing", slug, "order")


def _compare(plan: Plan, thing: str, slug: str, before: Things, after: Things) -> None:
    for name, value in after.items():
        if name not in before:
            plan.added(thing, f"{slug}/{name}", ", ".join(f"{key} {_shown(item)}" for key, item in value.items()))
        elif value != before[name]:
            plan.changed(thing, f"{slug}/{name}", ", ".join(_changes(before[name], value)))
    for name in before:
        if name not in after:
            plan.removed(thing, f"{slug}/{name}")


def _changes(before: Document, after: Document) -> Iterator[str]:
    for key in [*after, *(key for key in before if key not in after)]:
        if before.get(key) != after.get(key):
            yield f"{key} {_shown(before.get(key))} -> {_shown(after.get(key))}"


def _receivers(tree: TreeDocument) -> Things:
    return {item["name"]: {key: value for key, value in item.items() if key != "name"} for item in tree.receivers}


def _routes(tree: TreeDocument) -> Things:
    """Each route's own settings by its path: not what it inherits, which would repeat a change on all below."""
    if not tree.route:
        return {}
    documents = _documents(tree.route)
    return {
        route.path: {key: document[key] for key in _ROUTE_KEYS if key in document}
        for route, document in zip(routing.every(routing.route_of(tree.route)), documents, strict=True)
    }


def _documents(route: Document) -> Iterator[Document]:
    yield route
    for child in route.get("routes", ()):
        yield from _documents(child)


def _rules(tree: TreeDocument) -> Things:
    return {
        f"{all_to_text(rule.source)} over {all_to_text(rule.target)}": {"equal": list(rule.equal)}
        | ({"strict": True} if rule.strict else {})
        for rule in routing.inhibit_rules_of(tree.inhibit_rules)
    }


def _intervals(tree: TreeDocument) -> Things:
    return {item["name"]: {"time_intervals": item["time_intervals"]} for item in tree.time_intervals}


def _shown(value: Any) -> str:
    """Lists and mappings as the file has them."""
    if isinstance(value, list) and value:
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, dict) and value:
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    return plans.shown(value)

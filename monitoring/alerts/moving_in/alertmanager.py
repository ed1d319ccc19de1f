"""Turns an alertmanager.yml into our configuration, and says of every key whether it was carried."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from fleetledger.fleet.config import document as documents
from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import ConfigError, Issue, Path, Place
from fleetledger.fleet.config.service import written
from monitoring.alerts.config import routing_trees, shapes
from monitoring.alerts.config.order import in_order
from monitoring.alerts.moving_in import routes
from monitoring.alerts.moving_in.account import Account, NotCarried
from monitoring.alerts.moving_in.receivers import CHANNELS, Entry
from monitoring.alerts.moving_in.services import service
from monitoring.alerts.trees import TreeDocument

MOST_CHARACTERS = 1_000_000
SUFFIX = "_configs"
HEADER = "# Taken over from {}. Apply it with: fleetledger apply FILE\n"
TEMPLATES = "Go templates: Fleetledger writes its own texts."
OF_GLOBAL: Mapping[str, str] = {
    "resolve_timeout": "Each sender says itself until when an alert fires; there is nothing to set.",
    "smtp_hello": "Fleetledger greets with the machine's own name.",
}
UNUSED = "No receiver that was carried uses it."


@dataclass(frozen=True, slots=True)
class Converted:
    """`configuration` is our YAML. `secrets`: the names of environment variables with the values that the file held.

    `files`: those that hold secrets already. `silent`: receivers that told somebody and tell nobody here.
    """

    configuration: str
    carried: tuple[str, ...]
    not_carried: tuple[NotCarried, ...]
    secrets: Mapping[str, str]
    files: tuple[str, ...]
    silent: tuple[str, ...]


def convert(text: str, file: str = "alertmanager.yml", team: str | None = None) -> Converted:
    """Our configuration of the same routing, for the platform or as a team's own tree; raises ConfigError."""
    if len(text) > MOST_CHARACTERS:
        raise ConfigError([Issue(Place(file, 1), (), "The file is longer than a million characters.")])
    read = documents.read([(file, text)])
    _check_shape(read)
    account = Account(read)
    given = _as_texts(text)
    tree = _tree(given, account)
    _check(tree, read)
    _speak_of_the_rest(read, account)
    parts = {
        "route": tree.route,
        "inhibit_rules": list(tree.inhibit_rules),
        "receivers": list(tree.receivers),
        "time_intervals": list(tree.time_intervals),
    }
    ordered = {key: in_order(value, routing_trees.PARTS[key], shapes.DEFS) for key, value in parts.items() if value}
    values = {"alerting": [{"team": team, **ordered}]} if team else ordered
    return Converted(
        configuration=HEADER.format(file) + written(values),
        carried=account.carried(),
        not_carried=account.not_carried(),
        secrets=dict(account.secrets),
        files=tuple(account.files),
        silent=tuple(_silent(given, tree)),
    )


def _silent(given: Mapping[str, Any], tree: TreeDocument) -> Iterator[str]:
    for before, after in zip(given.get("receivers") or [], tree.receivers, strict=True):
        if len(after) == 1 and any(key.endswith(SUFFIX) and value for key, value in before.items()):
            yield after["name"]


def _as_texts(text: str) -> dict[str, Any]:
    """Every scalar as it stands in the file: `yes` and 500 are texts wherever Alertmanager takes them for such."""
    found = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 it makes texts, lists and mappings, nothing else
    return found if isinstance(found, dict) else {}


def _tree(values: Mapping[str, Any], account: Account) -> TreeDocument:
    defaults = values.get("global") or {}
    receivers = [
        _receiver(item, ("receivers", index), defaults, account)
        for index, item in enumerate(values.get("receivers") or [])
    ]
    rules = [
        routes.inhibit_rule(item, ("inhibit_rules", index), account)
        for index, item in enumerate(values.get("inhibit_rules") or [])
    ]
    intervals = [
        routes.time_interval(item, (key, index), account)
        for key in ("time_intervals", "mute_time_intervals")
        for index, item in enumerate(values.get(key) or [])
    ]
    root = routes.route(values.get("route") or {}, ("route",), account)
    return TreeDocument(root or {}, receivers, [rule for rule in rules if rule is not None], intervals)


def _receiver(document: Mapping[str, Any], path: Path, defaults: Mapping[str, Any], account: Account) -> dict[str, Any]:
    name = document.get("name", "")
    account.carry((*path, "name"))
    found: dict[str, Any] = {"name": name}
    for key, entries in document.items():
        if not key.endswith(SUFFIX) or not isinstance(entries, list):
            continue
        kind = CHANNELS[key][0] if key in CHANNELS else "apprise"
        for number, item in enumerate(entries):
            named = kind if key in CHANNELS else key.removesuffix(SUFFIX)
            entry = Entry(item or {}, (*path, key, number), name, named, number, defaults, account)
            carried = CHANNELS[key][1](entry) if key in CHANNELS else service(entry, key)
            if carried is not None:
                found.setdefault(kind, []).append(carried)
    return found


def _check_shape(read: Document) -> None:
    """Only so far as the rest relies on it; the rest of what is wrong is found in what comes of it."""
    problems = list(_shape_problems(read.values))
    if problems:
        raise ConfigError([read.issue(path, sentence) for path, sentence in problems])


def _shape_problems(values: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    if not isinstance(values.get("route"), dict):
        yield (), "This is no alertmanager.yml: 'route' is missing, which says who is told."
        return
    yield from _merged(values, ())
    yield from _route_shape(values["route"], ("route",))
    if not isinstance(values.get("global") or {}, dict):
        yield ("global",), "'global' is a mapping."
    for key in ("receivers", "inhibit_rules", "time_intervals", "mute_time_intervals"):
        items = values.get(key) or []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            yield (key,), f"'{key}' is a list of mappings."
            continue
        for index, item in enumerate(items):
            yield from _item_shape(key, item, (key, index))


def _item_shape(key: str, item: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    if key != "inhibit_rules" and not item.get("name"):
        yield path, "A 'name' is missing here."
    for name, entries in item.items():
        is_list_of_mappings = name.endswith(SUFFIX) or (name == "time_intervals" and key != "receivers")
        if is_list_of_mappings and not _are_mappings(entries or []):
            yield (*path, name), f"'{name}' is a list of mappings."


def _route_shape(route: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(route, dict):
        yield path, "A route is a mapping."
        return
    for key in (*routes.LISTS, "routes"):
        if not isinstance(route.get(key) or [], list):
            yield (*path, key), f"'{key}' is a list."
            return
    for key in routes.MAPPINGS:
        if not isinstance(route.get(key) or {}, dict):
            yield (*path, key), f"'{key}' is a mapping of labels to values."
            return
    for index, child in enumerate(route.get("routes") or []):
        yield from _route_shape(child, (*path, "routes", index))


def _merged(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        if "<<" in value:
            yield (*path, "<<"), "Keys that are merged in by '<<' are not read. Write them out."
        for key, item in value.items():
            yield from _merged(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _merged(item, (*path, index))


def _are_mappings(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _check(tree: TreeDocument, read: Document) -> None:
    """Refuse what Alertmanager would not start with either: the paths of both files are the same."""
    issues = [read.issue(path, sentence) for path, sentence in routing_trees.problems(tree)]
    if issues:
        raise ConfigError(issues)


def _speak_of_the_rest(read: Document, account: Account) -> None:
    """Why each setting for all that nobody took over is not carried."""
    if "templates" in read.values:
        account.leave(("templates",), TEMPLATES)
    for key in read.values.get("global") or {}:
        path: Path = ("global", key)
        if key != "http_config" and not account.is_carried(path):
            account.leave(path, OF_GLOBAL.get(key, UNUSED))

"""Turns an alertmanager.yml into our configuration, and says of every key whether it was carried."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config import validation
from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.service import written
from monitoring.alerts.config import routing_trees, shapes
from monitoring.alerts.config.order import in_order
from monitoring.alerts.moving_in import reading, routes
from monitoring.alerts.moving_in.account import Account, NotCarried
from monitoring.alerts.moving_in.receivers import CHANNELS, OTHER_SIGN_IN, Entry
from monitoring.alerts.moving_in.services import NO_SERVICE, service
from monitoring.alerts.trees import TreeDocument

SUFFIX = "_configs"
HEADER = "# Taken over from {}. Apply it with: fleetledger apply FILE\n"
TEMPLATES = "Go templates: Fleetledger writes its own texts."
OF_GLOBAL: Mapping[str, str] = {
    "resolve_timeout": "Each sender says itself until when an alert fires; there is nothing to set.",
    "smtp_hello": "Fleetledger greets with the machine's own name.",
    "smtp_auth_secret": OTHER_SIGN_IN,
    "smtp_auth_secret_file": OTHER_SIGN_IN,
    "smtp_auth_identity": OTHER_SIGN_IN,
    "hipchat_api_url": NO_SERVICE,
    "hipchat_auth_token": NO_SERVICE,
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
    given = reading.read(text, file)
    account = Account(given)
    tree = _tree(given.values, account)
    _speak_of_the_rest(given, account)
    parts = {part: getattr(tree, part) for part in routing_trees.PARTS}  # empty ones too: they replace what is stored
    _check(tree, account.result(parts))
    ordered = {part: in_order(value, routing_trees.PARTS[part], shapes.DEFS) for part, value in parts.items()}
    values = {"alerting": [{"team": team, **ordered}]} if team else ordered
    return Converted(
        configuration=HEADER.format(file) + written(values),
        carried=account.carried(),
        not_carried=account.not_carried(),
        secrets={name: account.secrets[name] for name in sorted(set(_references(tree.receivers, "env")))},
        files=tuple(sorted(set(_references(tree.receivers, "file")))),
        silent=tuple(_silent(given.values, tree)),
    )


def _references(value: Any, kind: str) -> Iterator[str]:
    """The secrets that receivers name, as often as they do."""
    if isinstance(value, list):
        yield from (name for item in value for name in _references(item, kind))
    elif isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get(kind), str):
            yield value[kind]
        yield from (name for item in value.values() for name in _references(item, kind))


def _silent(given: Mapping[str, Any], tree: TreeDocument) -> Iterator[str]:
    for before, after in zip(given.get("receivers") or [], tree.receivers, strict=True):
        if len(after) == 1 and any(key.endswith(SUFFIX) and value for key, value in before.items()):
            yield after["name"]


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
            entry = Entry(item, (*path, key, number), name, named, number, defaults, account)
            carried = CHANNELS[key][1](entry) if key in CHANNELS else service(entry, key)
            if carried is not None:
                for default in entry.taken:
                    account.carry(("global", default))
                found.setdefault(kind, []).append(account.made(carried, entry.path))
    return account.made(found, path)


def _check(tree: TreeDocument, result: Document) -> None:
    """Refuse what cannot be applied, at the lines of what it came of."""
    reading.refuse(iter(validation.issues(result)))
    reading.refuse(result.issue(path, sentence) for path, sentence in routing_trees.problems(tree))


def _speak_of_the_rest(read: Document, account: Account) -> None:
    """Why each setting for all that nobody took over is not carried."""
    if "templates" in read.values:
        account.leave(("templates",), TEMPLATES)
    for key in read.values.get("global") or {}:
        path: Path = ("global", key)
        if key != "http_config" and not account.is_carried(path):
            account.leave(path, OF_GLOBAL.get(key, UNUSED))

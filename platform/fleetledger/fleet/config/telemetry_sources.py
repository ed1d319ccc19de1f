"""Applies and exports `sources`. A source's keys are those of the file; secrets stay references."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.machines import cluster_named
from fleetledger.fleet.config.plan import Plan, save
from fleetledger.fleet.config.shapes import SECRET_HINT
from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.durations import DurationError, parse_duration
from fleetledger.lib.money import MINOR_UNITS

Items = Sequence[dict[str, Any]]
DEFAULT_CLUSTER = "default"
DURATIONS = ("scrape_interval", "bridge", "timeout")
_OWN_COLUMNS = ("name", "kind", "cluster", "enabled")
_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|password|api[-_]?key|signature", re.IGNORECASE)


def apply_sources(items: Items, plan: Plan) -> None:
    stored = {row.name: row for row in Source.objects.select_related("cluster")}
    seen: set[str] = set()
    for index, item in enumerate(items):
        path: Path = ("sources", index)
        name = item["name"]
        if name in seen:
            plan.refuse((*path, "name"), f"The source '{name}' stands twice.")
            continue
        seen.add(name)
        _check(item, path, plan)
        row = stored.get(name) or Source(name=name, kind=item["kind"])
        if row.pk and row.kind != item["kind"]:
            plan.refuse((*path, "kind"), f"'{name}' is a source of kind {row.kind}. Give the new one another name.")
            continue
        is_bill = item["kind"] == SourceKind.BILL
        values = {
            "cluster": None if is_bill else cluster_named(item.get("cluster") or DEFAULT_CLUSTER, plan),
            "enabled": item.get("enabled", True),
            "config": {key: value for key, value in item.items() if key not in _OWN_COLUMNS},
        }
        save(plan, "source", name, row, values)
    notes.kept(plan, "sources", set(stored) - seen)


def export_sources() -> list[dict[str, Any]]:
    found = []
    for row in Source.objects.select_related("cluster").order_by("name"):
        item: dict[str, Any] = {"name": row.name, "kind": row.kind}
        if row.cluster:
            item["cluster"] = row.cluster.name
        if not row.enabled:
            item["enabled"] = False
        found.append(item | dict(row.config))
    return found


def _check(item: Mapping[str, Any], path: Path, plan: Plan) -> None:
    """What the schema cannot say: durations above zero, and no secret in addresses or headers."""
    for key in DURATIONS:
        if key in item:
            try:
                parse_duration(item[key])
            except DurationError as error:
                plan.refuse((*path, key), str(error))
    if "currency" in item and item["currency"] not in MINOR_UNITS:
        plan.refuse((*path, "currency"), f"'{item['currency']}' is no currency of ISO 4217. Write one such as USD.")
    if "url" in item:
        _check_url(item["url"], (*path, "url"), plan)
    for number, target in enumerate(item.get("targets", [])):
        _check_url(target, (*path, "targets", number), plan)
    for name, value in item.get("headers", {}).items():
        if isinstance(value, str) and _SECRET_HEADER.search(name):
            plan.refuse((*path, "headers", name), SECRET_HINT)
    if "token" in item and "basic_auth" in item:
        plan.refuse((*path, "basic_auth"), "A source signs in by 'token' or by 'basic_auth'. Take one out.")


def _check_url(url: str, path: Path, plan: Plan) -> None:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        plan.refuse(path, f"'{url[:80]}' is no address. Write http://HOST:PORT.")
        return
    if not is_whole:
        plan.refuse(path, f"'{url[:80]}' is no address. Write http://HOST:PORT.")
    elif parts.username is not None or parts.password is not None:
        plan.refuse(path, f"The address holds a password. {SECRET_HINT} Use 'basic_auth'.")

"""Reads the probes of a component's entry, and says what is wrong with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.models import Source, SourceKind
from monitoring.availability.config.durations import seconds, whole_seconds
from monitoring.availability.models import ProbeKind
from monitoring.availability.sources.kubernetes import OBJECTS

Entry = Mapping[str, Any]
KINDS = tuple(kind.value for kind in ProbeKind if kind is not ProbeKind.SELF)
ASKS_PROMETHEUS = (ProbeKind.PROMQL, ProbeKind.KUBERNETES)
INTERVAL_S = 30
TIMEOUT_S, LONGEST_TIMEOUT_S = 5.0, 30.0
SHORTEST_S = 5
HEARTBEAT_LOOK_S = 60
"""How often a heartbeat that is wanted more rarely is looked at, at least."""


@dataclass(frozen=True, slots=True)
class WantedProbe:
    name: str
    values: dict[str, Any]


def read(items: Sequence[Entry], path: Path, plan: Plan) -> Iterator[WantedProbe]:
    """Mistakes are noted in the plan; a probe without a name has that of its kind."""
    names: set[str] = set()
    for index, item in enumerate(items):
        at: Path = (*path, index)
        kinds = [kind for kind in KINDS if kind in item]
        if len(kinds) != 1:
            plan.refuse(at, f"A probe has one of {', '.join(KINDS)}, and no other of them.")
            continue
        name = item.get("name", kinds[0])
        if name in names:
            plan.refuse((*at, "name"), f"The probe '{name}' stands twice here. Give one another name.")
        names.add(name)
        yield WantedProbe(name, _values(item, kinds[0], at, plan))


def _values(item: Entry, kind: str, path: Path, plan: Plan) -> dict[str, Any]:
    interval_s = whole_seconds(item, "interval", path, plan, INTERVAL_S)
    if kind not in ASKS_PROMETHEUS and interval_s < SHORTEST_S:
        plan.refuse((*path, "interval"), f"Such a probe asks every {SHORTEST_S} s at most. Give a longer interval.")
    timeout_s = seconds(item, "timeout", path, plan, TIMEOUT_S)
    if timeout_s > LONGEST_TIMEOUT_S:
        plan.refuse((*path, "timeout"), f"A probe waits {LONGEST_TIMEOUT_S:g} s at most. Give a shorter timeout.")
    reader = _SPECS.get(kind)
    spec = dict(item[kind])
    if kind == ProbeKind.HEARTBEAT:
        spec["every_s"], interval_s = interval_s, min(interval_s, HEARTBEAT_LOOK_S)
    return {
        "kind": kind,
        "source": _source(item, kind, path, plan),
        "spec": reader(spec, (*path, kind), plan) if reader else spec,
        "interval_s": interval_s,
        "timeout_s": timeout_s,
    }


def _source(item: Entry, kind: str, path: Path, plan: Plan) -> Source | None:
    if kind not in ASKS_PROMETHEUS:
        if "source" in item:
            plan.refuse((*path, "source"), f"'source' has no meaning beside '{kind}'. Take it out.")
        return None
    if "source" not in item:
        plan.refuse(path, "'source' is missing: name the Prometheus that is asked.")
        return None
    row = Source.objects.filter(name=item["source"], kind=SourceKind.PROMETHEUS).first()
    if row is None:
        known = Source.objects.filter(kind=SourceKind.PROMETHEUS).order_by("name").values_list("name", flat=True)
        hint = f"Known: {', '.join(known[:20])}." if known else "Add it under 'sources'."
        plan.refuse((*path, "source"), f"No source of kind prometheus is called '{item['source']}'. {hint}")
    return row


def _http(spec: dict[str, Any], path: Path, plan: Plan) -> dict[str, Any]:
    if "body" in spec:
        try:
            re2.compile(spec["body"])
        except re2.error:
            plan.refuse((*path, "body"), f"'{spec['body'][:80]}' is no regular expression.")
    if "slow_after" in spec:
        spec["slow_after_s"] = seconds(spec, "slow_after", path, plan, 0.0)
        del spec["slow_after"]
    return spec


def _heartbeat(spec: dict[str, Any], path: Path, plan: Plan) -> dict[str, Any]:
    if "grace" in spec:
        spec["grace_s"] = whole_seconds(spec, "grace", path, plan, 0)
        del spec["grace"]
    return spec


def _kubernetes(spec: dict[str, Any], path: Path, plan: Plan) -> dict[str, Any]:
    named = [name for name in OBJECTS if name in spec]
    if len(named) != 1:
        plan.refuse(path, f"Name one of {', '.join(OBJECTS)}, and no other of them.")
    elif named[0] == "node" and "namespace" in spec:
        plan.refuse((*path, "namespace"), "A node has no namespace. Take it out.")
    return spec


_SPECS: Mapping[str, Callable[[dict[str, Any], Path, Plan], dict[str, Any]]] = {
    ProbeKind.HTTP: _http,
    ProbeKind.HEARTBEAT: _heartbeat,
    ProbeKind.KUBERNETES: _kubernetes,
}

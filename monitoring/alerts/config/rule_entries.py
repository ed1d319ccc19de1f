"""Reads one entry of `rules` into the rows that it stands for, and says what is wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.models import Source, SourceKind, Team
from fleetledger.lib.durations import DurationError, parse_duration
from monitoring.alerts.labels import ALERT_NAME, is_name
from monitoring.alerts.models import RuleKind
from monitoring.alerts.rules import facts, impact, pack, templates
from monitoring.alerts.rules.errors import OptionError, RuleError
from monitoring.alerts.rules.found import LIMIT, METRIC_NAME
from monitoring.alerts.rules.heartbeats import Terms

Entry = Mapping[str, Any]
Key = tuple[int | None, str]
FORMS = {
    "expr": {"source", "for", "keep_firing_for", "interval", "options", "enabled"},
    "fact": {"for", "keep_firing_for", "interval", "options", "enabled"},
    "heartbeat": set[str](),
    "pack": {"source", "except", "interval", "enabled"},
}
"""What else may stand in an entry, by the key that says what it is; name, team, labels and annotations always may."""
ALWAYS = {"name", "team", "labels", "annotations"}
DEFAULT_INTERVAL_S = 60.0
SHORTEST_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row as the file wants it."""

    team: Team | None
    name: str
    values: dict[str, Any]
    is_heartbeat: bool = False

    @property
    def key(self) -> Key:
        return (self.team.pk if self.team else None), self.name

    @property
    def team_slug(self) -> str:
        return self.team.slug if self.team else ""


def read(item: Entry, team: Team | None, path: Path, plan: Plan) -> Iterator[Wanted]:
    """The rows of an entry; mistakes are noted in the plan, and what is read then is not to be used."""
    form = _form(item, path, plan)
    if form is None:
        return
    labels, annotations = _texts(item, path, plan, is_plain=form == "heartbeat")
    common = {"labels": labels, "annotations": annotations}
    if form == "pack":
        yield from _pack(item, team, labels, path, plan)
    elif form == "heartbeat":
        yield Wanted(team, item["name"], common | _heartbeat(item, path, plan), is_heartbeat=True)
    else:
        asked = _expression(item, path, plan) if form == "expr" else _fact(item, path, plan)
        yield Wanted(team, item["name"], common | asked | _times(item, path, plan))


def _form(item: Entry, path: Path, plan: Plan) -> str | None:
    forms = [form for form in FORMS if form in item]
    if len(forms) != 1:
        plan.refuse(path, f"A rule has one of {', '.join(FORMS)}, and no other of them.")
        return None
    form = forms[0]
    for key in item:
        if key not in ALWAYS | {form} | FORMS[form]:
            plan.refuse((*path, key), f"'{key}' has no meaning beside '{form}'. Take it out.")
    if form != "pack" and "name" not in item:
        plan.refuse(path, "'name' is missing.")
        return None
    return form


def _texts(item: Entry, path: Path, plan: Plan, *, is_plain: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Labels and annotations, whose templates can be rendered; a heartbeat's are taken as they stand."""
    labels, annotations = dict(item.get("labels", {})), dict(item.get("annotations", {}))
    for name in labels:
        if not is_name(name) or name in (ALERT_NAME, METRIC_NAME):
            plan.refuse((*path, "labels", name), f"'{name}' names no label that a rule can give. Take another name.")
    for kind, texts in (("labels", labels), ("annotations", annotations)):
        for name, text in texts.items() if not is_plain else ():
            try:
                templates.parse(text)
            except RuleError as error:
                plan.refuse((*path, kind, name), str(error))
    return labels, annotations


def _times(item: Entry, path: Path, plan: Plan) -> dict[str, Any]:
    interval_s = _seconds(item, "interval", path, plan, DEFAULT_INTERVAL_S)
    if interval_s < SHORTEST_INTERVAL_S:
        plan.refuse((*path, "interval"), "A rule is evaluated every 5 s at most. Give a longer interval.")
    return {
        "for_s": _seconds(item, "for", path, plan),
        "keep_firing_for_s": _seconds(item, "keep_firing_for", path, plan),
        "interval_s": interval_s,
        "is_enabled": item.get("enabled", True),
        "is_ours": False,
    }


def _expression(item: Entry, path: Path, plan: Plan) -> dict[str, Any]:
    source = _source(item, path, plan)
    options = dict(item.get("options", {}))
    _check_limit(options, path, plan)
    for key, value in options.items():
        if key == impact.WASTE and value in (impact.GPU, impact.VALUE):
            continue
        if key != LIMIT:
            known = f"{LIMIT}, and {impact.WASTE} with {impact.GPU} or {impact.VALUE}"
            plan.refuse((*path, "options", key), f"'{key}: {value}' is no option of an expression. Known: {known}.")
    return {
        "kind": RuleKind.PROMQL,
        "source": source,
        "expr": str(item["expr"]).strip(),
        "fact": "",
        "options": options,
    }


def _fact(item: Entry, path: Path, plan: Plan) -> dict[str, Any]:
    options = dict(item.get("options", {}))
    _check_limit(options, path, plan)
    try:
        facts.named(item["fact"]).check(options)
    except OptionError as error:
        plan.refuse((*path, "options", error.key), str(error))
    except RuleError as error:
        plan.refuse((*path, "fact"), str(error))
    return {"kind": RuleKind.FACT, "source": None, "expr": "", "fact": item["fact"], "options": options}


def _heartbeat(item: Entry, path: Path, plan: Plan) -> dict[str, Any]:
    beat = item["heartbeat"]
    inner: Path = (*path, "heartbeat")
    every_s, grace_s = _seconds(beat, "every", inner, plan), _seconds(beat, "grace", inner, plan)
    try:
        terms = Terms(item["name"], timedelta(seconds=every_s), timedelta(seconds=grace_s)).values()
    except RuleError as error:
        plan.refuse((*inner, "every"), str(error))
        return {}
    return {key: terms[key] for key in ("interval_s", "grace_s")}


def _pack(item: Entry, team: Team | None, labels: dict[str, str], path: Path, plan: Plan) -> Iterator[Wanted]:
    """Every rule of the pack, on this source; their names tell sources apart, their alerts' names do not."""
    source = _source(item, path, plan)
    try:
        known = pack.rules(item["pack"])
    except RuleError as error:
        plan.refuse((*path, "pack"), str(error))
        return
    left_out = item.get("except", [])
    for place, name in enumerate(left_out):
        if name not in {rule.name for rule in known}:
            plan.refuse((*path, "except", place), f"The pack has no rule '{name}'. See: fleetledger rule-pack --list.")
    if source is None:
        return
    times = _times(item, path, plan) | {"is_ours": True}
    for rule in known:
        if rule.name not in left_out and not rule.is_for_elsewhere:
            yield Wanted(team, f"{rule.name}/{source.name}", _of_pack(rule, source, item, labels) | times | _own(rule))


def _of_pack(rule: pack.PackRule, source: Source, item: Entry, labels: dict[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {"alert": rule.name, "pack": rule.pack}
    options |= {key: item[key] for key in ("labels", "annotations") if item.get(key)}
    options |= {impact.WASTE: rule.waste} if rule.waste else {}
    return {
        "kind": RuleKind.PROMQL,
        "source": source,
        "expr": rule.expr,
        "fact": "",
        "options": options,
        "labels": {**rule.labels, **labels},
        "annotations": {**rule.annotations, **item.get("annotations", {})},
    }


def _own(rule: pack.PackRule) -> dict[str, Any]:
    return {"for_s": rule.for_.total_seconds(), "keep_firing_for_s": rule.keep_firing_for.total_seconds()}


def _source(item: Entry, path: Path, plan: Plan) -> Source | None:
    if "source" not in item:
        plan.refuse(path, "'source' is missing: name the Prometheus that is asked.")
        return None
    row = Source.objects.filter(name=item["source"], kind=SourceKind.PROMETHEUS).first()
    if row is None:
        known = Source.objects.filter(kind=SourceKind.PROMETHEUS).order_by("name").values_list("name", flat=True)
        hint = f"Known: {', '.join(known[:20])}." if known else "Add it under 'sources'."
        plan.refuse((*path, "source"), f"No source of kind prometheus is called '{item['source']}'. {hint}")
    return row


def _check_limit(options: Entry, path: Path, plan: Plan) -> None:
    limit = options.get(LIMIT, 1)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        plan.refuse((*path, "options", LIMIT), f"'{limit}' is no limit. Write a whole number from 1 on.")


def _seconds(item: Entry, key: str, path: Path, plan: Plan, default: float = 0.0) -> float:
    """A duration that may be zero, in seconds."""
    if key not in item:
        return default
    text = str(item[key])
    if text.strip("0smhdw") == "":
        return 0.0
    try:
        return parse_duration(text).total_seconds()
    except DurationError as error:
        plan.refuse((*path, key), str(error))
        return default

"""Writes `rules` back: what applies again as no change."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any

from fleetledger.lib.durations import duration_text
from monitoring.alerts.config.rule_entries import DEFAULT_INTERVAL_S
from monitoring.alerts.models import Heartbeat, Rule, RuleKind
from monitoring.alerts.rules import pack


def export_rules() -> list[dict[str, Any]]:
    """Packs, rules and heartbeats, each by team and name; the defaults that nobody changed come by themselves."""
    rows = Rule.objects.select_related("team", "source").order_by("team__slug", "name")
    packed = [row for row in rows if "pack" in row.options]
    own = [row for row in rows if not row.is_ours]
    beats = Heartbeat.objects.select_related("team").order_by("team__slug", "name")
    return [*_packs(packed), *map(_rule, own), *map(_heartbeat, beats)]


def _rule(row: Rule) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name}
    if row.team:
        item["team"] = row.team.slug
    if row.kind == RuleKind.FACT:
        item["fact"] = row.fact
    else:
        item |= {"source": row.source.name if row.source else "", "expr": row.expr}
    item |= _durations({"for": (row.for_s, 0.0), "keep_firing_for": (row.keep_firing_for_s, 0.0)})
    item |= _interval(row) | _enabled(row)
    return item | {key: getattr(row, key) for key in ("options", "labels", "annotations") if getattr(row, key)}


def _heartbeat(row: Heartbeat) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name} | ({"team": row.team.slug} if row.team else {})
    item["heartbeat"] = {"every": _text(row.interval_s)} | _durations({"grace": (row.grace_s, 0.0)})
    return item | {key: getattr(row, key) for key in ("labels", "annotations") if getattr(row, key)}


def _packs(rows: Iterable[Rule]) -> list[dict[str, Any]]:
    ordered = sorted(rows, key=_entry)
    return [_pack(list(group)) for _, group in groupby(ordered, key=_entry)]


def _entry(row: Rule) -> tuple[str, str, str]:
    return row.team.slug if row.team else "", row.source.name if row.source else "", row.options["pack"]


def _pack(rows: list[Rule]) -> dict[str, Any]:
    first = rows[0]
    team, source, name = _entry(first)
    here = {row.options["alert"] for row in rows}
    left_out = [rule.name for rule in pack.rules(name) if rule.name not in here and not rule.is_for_elsewhere]
    item: dict[str, Any] = {"pack": name, "source": source}
    item |= ({"team": team} if team else {}) | ({"except": left_out} if left_out else {})
    item |= _interval(first) | _enabled(first)
    return item | {key: first.options[key] for key in ("labels", "annotations") if key in first.options}


def _interval(row: Rule) -> dict[str, str]:
    return _durations({"interval": (row.interval_s, DEFAULT_INTERVAL_S)})


def _enabled(row: Rule) -> dict[str, bool]:
    return {} if row.is_enabled else {"enabled": False}


def _durations(values: dict[str, tuple[float, float]]) -> dict[str, str]:
    """Those that are not what they would be anyway."""
    return {key: _text(value) for key, (value, default) in values.items() if value != default}


def _text(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))

"""Writes `components` back: what applies again as no change."""

from datetime import timedelta
from typing import Any

from fleetledger.lib.durations import duration_text
from monitoring.availability.config.entries import ALERT_AFTER_S
from monitoring.availability.config.probe_entries import INTERVAL_S, TIMEOUT_S
from monitoring.availability.models import Component, Probe, ProbeKind

TEXTS = ("zone", "needs", "description", "runbook_url")


def export() -> list[dict[str, Any]]:
    """Every component in the file's order, each with its parent by name."""
    rows = Component.objects.filter(is_builtin=False, removed_at=None).select_related("team", "parent")
    return [document(row) for row in rows.prefetch_related("probes__source").order_by("position", "name")]


def document(row: Component) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name, "title": row.title, "kind": row.kind}
    item |= {"team": row.team.slug} if row.team else {}
    item |= {"parent": row.parent.name} if row.parent else {}
    item |= {key: getattr(row, key) for key in TEXTS if getattr(row, key)}
    item |= {} if row.alert else {"alert": False}
    item |= _durations({"alert_after": (row.alert_after_s, ALERT_AFTER_S)})
    item |= {"severity": row.severity} if row.severity != "critical" else {}
    item |= {"public": True} if row.is_public else {}
    item |= {"public_title": row.public_title} if row.public_title else {}
    probes = [_probe(probe) for probe in sorted(row.probes.all(), key=lambda one: one.pk) if probe.removed_at is None]
    return item | ({"probes": probes} if probes else {})


def _probe(row: Probe) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name} | ({"source": row.source.name} if row.source else {})
    item |= _durations(
        {"interval": (row.spec.get("every_s", row.interval_s), INTERVAL_S), "timeout": (row.timeout_s, TIMEOUT_S)}
    )
    return item | {row.kind: _spec(row)}


def _spec(row: Probe) -> dict[str, Any]:
    spec = dict(row.spec)
    if row.kind == ProbeKind.HTTP and "slow_after_s" in spec:
        spec["slow_after"] = _text(spec.pop("slow_after_s"))
    spec.pop("every_s", None)
    if row.kind == ProbeKind.HEARTBEAT and "grace_s" in spec:
        spec["grace"] = _text(spec.pop("grace_s"))
    return spec


def _durations(values: dict[str, tuple[float, float]]) -> dict[str, str]:
    """Those that are not what they would be anyway."""
    return {key: _text(value) for key, (value, default) in values.items() if value != default}


def _text(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))

"""Looks at what kube-state-metrics tells of an object, as an expression with its conditions and facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.availability.sources.conditions import Condition, Conditions
from monitoring.availability.sources.promql import FactTerms, PromqlTerms, facts_of
from monitoring.telemetry.sources.promql import quoted

SHARE = "It has {value:.0%} of what it should have."


@dataclass(frozen=True, slots=True)
class Counted:
    """An object that has so many of what it should: the two metrics, and the label with its name."""

    ready: str
    wanted: str
    label: str


COUNTED: Mapping[str, Counted] = {
    "deployment": Counted("kube_deployment_status_replicas_available", "kube_deployment_spec_replicas", "deployment"),
    "statefulset": Counted("kube_statefulset_status_replicas_ready", "kube_statefulset_replicas", "statefulset"),
    "daemonset": Counted(
        "kube_daemonset_status_number_ready", "kube_daemonset_status_desired_number_scheduled", "daemonset"
    ),
}
OBJECTS = (*COUNTED, "node", "poddisruptionbudget", "job")
"""What a probe of this kind may name, one of them."""


def terms(spec: Mapping[str, Any]) -> PromqlTerms:
    """The expression for the one object that `spec` names; its `facts` come on top."""
    kind = next(name for name in OBJECTS if name in spec)
    made = _counted(kind, spec) if kind in COUNTED else _OTHERS[kind](spec)
    return PromqlTerms(made.expr, made.conditions, made.traffic, (*made.facts, *facts_of(spec)))


def _counted(kind: str, spec: Mapping[str, Any]) -> PromqlTerms:
    """Up with all that it should have, degraded with some, down with none; nothing is expected where none is wanted."""
    one = COUNTED[kind]
    matchers = _matchers(spec, (one.label, str(spec[kind])))
    ready, wanted = f"sum({one.ready}{matchers})", f"sum({one.wanted}{matchers})"
    return PromqlTerms(
        f"{ready} / ({wanted} > 0) or {wanted} == 0",
        Conditions(up=Condition(">=", 1), degraded=Condition(">", 0), sentence=SHARE),
        traffic=wanted,
        facts=(FactTerms("replicas_ready", ready), FactTerms("replicas_wanted", wanted)),
    )


def _node(spec: Mapping[str, Any]) -> PromqlTerms:
    """Up while it is ready; degraded while nothing new may be placed on it."""
    node = str(spec["node"])
    ready = _matchers(spec, ("node", node), ("condition", "Ready"), ("status", "true"), namespaced=False)
    cordoned = _matchers(spec, ("node", node), namespaced=False)
    free = f"sum(kube_node_spec_unschedulable{cordoned})"
    return PromqlTerms(
        f"sum(kube_node_status_condition{ready}) - 0.5 * ({free} or vector(0))",
        Conditions(up=Condition(">=", 1), degraded=Condition("==", 0.5), sentence="It is not ready, or cordoned."),
    )


def _budget(spec: Mapping[str, Any]) -> PromqlTerms:
    """Of a disruption budget: down with fewer healthy pods than it wants, degraded where none may be disturbed."""
    matchers = _matchers(spec, ("poddisruptionbudget", str(spec["poddisruptionbudget"])))
    allowed = f"sum(kube_poddisruptionbudget_status_pod_disruptions_allowed{matchers})"
    healthy = f"sum(kube_poddisruptionbudget_status_current_healthy{matchers})"
    desired = f"sum(kube_poddisruptionbudget_status_desired_healthy{matchers})"
    return PromqlTerms(
        f"({healthy} >= bool {desired}) * (1 + ({allowed} > bool 0))",
        Conditions(
            up=Condition(">=", 2), degraded=Condition("==", 1), sentence="No more of its pods may be disturbed."
        ),
        facts=(
            FactTerms("disruptions_allowed", allowed),
            FactTerms("pods_healthy", healthy),
            FactTerms("pods_desired", desired),
        ),
    )


def _job(spec: Mapping[str, Any]) -> PromqlTerms:
    """Down while it has failed."""
    matchers = _matchers(spec, ("job_name", str(spec["job"])))
    return PromqlTerms(
        f"sum(kube_job_status_failed{matchers})",
        Conditions(down=Condition(">", 0), sentence="{value:g} of its pods failed."),
    )


_OTHERS = {"node": _node, "poddisruptionbudget": _budget, "job": _job}


def _matchers(spec: Mapping[str, Any], *pairs: tuple[str, str], namespaced: bool = True) -> str:
    known: list[tuple[str, str]] = list(pairs)
    if namespaced and "namespace" in spec:
        known.append(("namespace", str(spec["namespace"])))
    known += sorted((str(name), str(value)) for name, value in (spec.get("matchers") or {}).items())
    return "{" + ",".join(f"{name}={quoted(value)}" for name, value in known) + "}"

"""OpenSLO v1: objectives with their indicators, from documents that refer to each other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleetledger.lib.durations import DurationError, parse_duration
from monitoring.availability.slo.entries import FEWEST_DAYS, MOST_DAYS
from monitoring.availability.slo.expressions import PLACEHOLDER
from monitoring.availability.slo.moving_in.entry import LeftOutError, Taken, amount, entry, percentage, service, texts
from monitoring.availability.slo.moving_in.parts import Part

VERSION = "openslo/v1"
UNITS = {"M": 30, "Q": 90, "Y": 365}
LEFT = {
    "AlertPolicy": "Burn rates are fixed here: 14.4 and 6 page, 3 and 1 open tickets.",
    "AlertCondition": "Burn rates are fixed here: 14.4 and 6 page, 3 and 1 open tickets.",
    "AlertNotificationTarget": "Who is told is a matter of 'route' and 'receivers' here.",
    "DataSource": "Where Prometheus is stands under 'sources' here.",
}
ROLLING = "The budget is rolling here; that of the calendar month is shown beside it."
SLICES = "Events are counted here, not slices of time that were good enough."
ALERTS = "Burn rates are fixed here: 14.4 and 6 page, 3 and 1 open tickets."
THRESHOLD = "A threshold on a value counts nothing. Write how many are good, and how many there are."
RAW = "A ratio has no counts, and without them nobody knows how much it stands for. Write 'good' and 'total'."
LEFT_OUT = "This objective is left out."
OF_THRESHOLD = "This belongs to thresholds on a value."


SERVICE = "A service is a component of ours or a label: what else is known of it stands under 'components'."


def is_openslo(root: Part) -> bool:
    return bool(root.at("apiVersion").value == VERSION)


def slos(roots: Sequence[Part], taken: Taken) -> Iterator[dict[str, Any]]:
    """The entries of all documents together."""
    indicators = {str(root.at("metadata", "name").value): root for root in roots if root.at("kind").value == "SLI"}
    used: set[str] = set()
    for root in roots:
        root.text("apiVersion")
        kind = root.text("kind")
        if kind == "SLO":
            yield from _slos(root, Indicators(indicators, used), taken)
        elif kind == "Service":
            root.text("metadata", "name")
            root.leave(SERVICE, "metadata", "displayName")
            root.leave(SERVICE, "spec")
        elif kind != "SLI":
            root.give_up(LEFT.get(kind, "Fleetledger has nothing like it."))
    for name, root in indicators.items():
        if name not in used:
            root.give_up("No objective uses it.")


@dataclass(frozen=True, slots=True)
class Indicators:
    """Those with names of their own, and which of them were used."""

    known: Mapping[str, Part]
    used: set[str]

    def of(self, part: Part) -> Part:
        """The spec of the indicator that stands in a part or that it refers to; empty where it has none."""
        inner = part.at("indicator")
        if inner:
            _name(inner)
            return inner.at("spec") or inner
        name = part.text("indicatorRef")
        if not name:
            return part.at("indicator")
        if name not in self.known:
            raise LeftOutError(f"No SLI called '{name[:100]}' is in these files. Give its file too.")
        self.used.add(name)
        _name(self.known[name])
        return self.known[name].at("spec")


def _name(part: Part) -> None:
    part.text("metadata", "name")
    for key in ("displayName", "labels", "annotations"):
        part.leave("Only the objective's own are taken over.", "metadata", key)
    part.leave("Only the objective's own are taken over.", "spec", "description")


def _slos(root: Part, indicators: Indicators, taken: Taken) -> Iterator[dict[str, Any]]:
    """One entry for each objective; where none can be carried, the document is left with the first reason."""
    spec = root.at("spec")
    objectives = spec.each("objectives")
    reasons = []
    for place, part in enumerate(objectives):
        try:
            indicator = indicators.of(part) or indicators.of(spec)
            yield _slo(root, part, indicator, taken, number=place + 1 if len(objectives) > 1 else 0)
        except LeftOutError as error:
            reasons.append(f"{LEFT_OUT} {error}")
            part.give_up(reasons[-1])
    if len(reasons) == len(objectives):
        for key in ("metadata", "spec"):
            root.at(key).give_up(reasons[0] if reasons else f"{LEFT_OUT} It has no objectives.")


def _slo(root: Part, part: Part, indicator: Part, taken: Taken, *, number: int) -> dict[str, Any]:
    spec = root.at("spec")
    objective = _target(part)
    amounts = _amounts(indicator, taken)
    window = _window(spec, taken)
    keys, labels = service(taken, spec.text("service"))
    labels |= texts(root.at("metadata"), "labels", are_labels=True)
    title = " ".join(word for word in (root.text("metadata", "displayName"), part.text("displayName")) if word)
    _leave_the_rest(spec, part)
    name = taken.named(root.text("metadata", "name"), str(number) if number else "")
    found = entry(taken, name, title, spec.text("description")) | keys
    found |= {"objective": objective} | window | amounts | ({"labels": labels} if labels else {})
    annotations = texts(root.at("metadata"), "annotations", are_labels=False)
    return found | ({"annotations": annotations} if annotations else {})


def _target(part: Part) -> float | int:
    if part.at("target"):
        return percentage(part.text("target"), is_share=True)
    return percentage(part.text("targetPercent"), is_share=False)


def _amounts(indicator: Part, taken: Taken) -> dict[str, str]:
    ratio = indicator.at("ratioMetric")
    if not ratio:
        raise LeftOutError(THRESHOLD if indicator.at("thresholdMetric") else "It has no indicator.")
    if ratio.at("raw"):
        raise LeftOutError(RAW)
    given = [key for key in ("good", "bad") if ratio.at(key)]
    if not given or not ratio.at("total"):
        raise LeftOutError("Its indicator needs 'total' and one of 'good' and 'bad'.")
    if len(given) > 1:
        ratio.leave("One of 'good' and 'bad' is enough.", "bad")
    known = {key: _query(ratio.at(key), taken) for key in (given[0], "total")}
    if ratio.text("counter").lower() == "false" and any(PLACEHOLDER not in query for query, _ in known.values()):
        raise LeftOutError("It counts no counters ('counter: false'). Write expressions with [$window].")
    sources = {source for _, source in known.values() if source}
    return {key: query for key, (query, _) in known.items()} | ({"source": min(sources)} if len(sources) == 1 else {})


def _query(part: Part, taken: Taken) -> tuple[str, str]:
    """(PromQL, the source's name where it is one of ours)."""
    metric = part.at("metricSource")
    kind = metric.text("type")
    if kind and kind.lower() != "prometheus":
        raise LeftOutError(f"It is counted in {kind[:40]}; only Prometheus can be asked here.")
    reference = metric.at("metricSourceRef")
    source = reference.value if reference.value in taken.sources else ""
    if source:
        metric.text("metricSourceRef")
    else:
        reference.leave("No source of ours is called so. Write ours under 'source'.")
    text = metric.at("spec").first("query", "promql", "expr")
    if not text:
        raise LeftOutError("Its query is missing: 'query' under metricSource.spec.")
    return amount(metric.at("spec"), text, taken), str(source)


def _window(spec: Part, taken: Taken) -> dict[str, str]:
    windows = spec.each("timeWindow")
    if not windows:
        return {}
    part = windows[0]
    text = part.text("duration")
    days = _days(text)
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        days = min(max(days, FEWEST_DAYS), MOST_DAYS)
        taken.note(part, f"The window of {text[:20] or 'no length'} became {days}d; it lasts 7d to 90d here.")
    is_rolling = part.text("isRolling").lower() == "true"
    if part.at("calendar") or not is_rolling:
        part.leave(ROLLING, "calendar")
        taken.note(part, ROLLING)
    return {"window": f"{days}d"}


def _days(text: str) -> int:
    """In whole days; months count 30, quarters 90."""
    if text[-1:] in UNITS and text[:-1].isascii() and text[:-1].isdigit() and len(text) < 6:  # noqa: PLR2004 digits
        return int(text[:-1]) * UNITS[text[-1]]
    try:
        return parse_duration(text).days
    except DurationError:
        return 0


def _leave_the_rest(spec: Part, part: Part) -> None:
    if spec.at("budgetingMethod").value == "Occurrences":
        spec.text("budgetingMethod")
    else:
        spec.leave(SLICES, "budgetingMethod")
    spec.leave(ALERTS, "alertPolicies")
    for key in ("timeSliceTarget", "timeSliceWindow"):
        part.leave(SLICES, key)
    for key in ("op", "value"):
        part.leave(OF_THRESHOLD, key)

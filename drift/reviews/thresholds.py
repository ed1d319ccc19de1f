"""Suggests a threshold from false alarms; it holds once a person accepts it, and the act is kept.

1. Two false alarms of a column with a distance suggest one a little above the largest of them.
2. None is suggested that would have hidden what people called real drift or a data bug.
3. Accepting writes the model's own threshold, with who, why, and the findings behind it. Never without a person.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from drift.findings.evidence import Evidence
from drift.models import Finding, FindingKind, Model, ReviewState, ThresholdChange, Verdict
from drift.reviews.errors import BadThresholdError, NoSuggestionError, NotAPersonError, TwoPersonsError
from drift.reviews.verdicts import Person
from monitoring.alerts import clock

ENOUGH = 2
MARGIN = 1.05
LARGEST = 1e6
LOOKED_AT = 1000  # decided findings of a model, the newest first


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`now` is the threshold that those findings crossed; `findings` are the false alarms."""

    column: str
    method: str
    now: float | None
    suggested: float
    findings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    finding_id: int
    verdict: str
    method: str
    value: float
    threshold: float | None


def suggestions(model: Model) -> tuple[Suggestion, ...]:
    """By column. What was accepted already is suggested no more."""
    found = [_suggestion(column, seen) for column, seen in _seen(model).items()]
    own: dict[str, float] = model.settings.get("thresholds", {})
    return tuple(one for one in found if one is not None and one.suggested > own.get(one.column, 0.0))


def changes(model: Model) -> list[ThresholdChange]:
    """The newest first."""
    return list(ThresholdChange.objects.filter(model=model)[:LOOKED_AT])


def accept(model_id: int, column: str, by: Person, *, reason: str) -> ThresholdChange:
    """Take what is suggested for the column now. Raises NoSuggestionError."""
    with transaction.atomic():
        model = Model.objects.select_for_update().get(pk=model_id)
        one = next((one for one in suggestions(model) if one.column == column), None)
        if one is None:
            raise NoSuggestionError(column)
        return _change(model, column, one.suggested, by, reason=reason, findings=one.findings)


def put(model_id: int, column: str, threshold: float | None, by: Person, *, reason: str) -> ThresholdChange:
    """A threshold of a person's own choice; None goes back to the report's.

    Raises BadThresholdError; for a production model TwoPersonsError where it would be higher than now.
    """
    if threshold is not None and not (math.isfinite(threshold) and 0 < threshold <= LARGEST):
        raise BadThresholdError
    with transaction.atomic():
        model = Model.objects.select_for_update().get(pk=model_id)
        held = model.settings.get("thresholds", {}).get(column)
        if model.is_production and threshold is not None and (held is None or threshold > held):
            raise TwoPersonsError
        return _change(model, column, threshold, by, reason=reason)


def _change(
    model: Model, column: str, after: float | None, by: Person, *, reason: str, findings: Sequence[int] = ()
) -> ThresholdChange:
    if by.user is None:
        raise NotAPersonError
    held = dict(model.settings.get("thresholds", {}))
    before = held.pop(column, None)
    if after is not None:
        held[column] = after
    rest = {name: value for name, value in model.settings.items() if name != "thresholds"}
    model.settings = rest | ({"thresholds": held} if held else {})
    model.save(update_fields=["settings"])
    return ThresholdChange.objects.create(
        model=model,
        column=column,
        before=before,
        after=after,
        reason=reason,
        findings=list(findings),
        by_user=by.user,
        by_name=by.name[:200],
        at=clock.now(),
    )


def _seen(model: Model) -> dict[str, list[_Seen]]:
    rows = Finding.objects.filter(model=model, review=ReviewState.DECIDED, kind=FindingKind.DRIFT).order_by("-pk")
    found: dict[str, list[_Seen]] = {}
    for row in rows[:LOOKED_AT]:
        lead = Evidence.unpacked(row.evidence).leading
        if lead is not None and lead.value is not None and lead.direction == "large":
            seen = _Seen(row.pk, row.verdict, lead.method, lead.value, lead.threshold)
            found.setdefault(lead.column, []).append(seen)
    return found


def _suggestion(column: str, seen: Sequence[_Seen]) -> Suggestion | None:
    method = seen[0].method
    alike = [one for one in seen if one.method == method]
    wrong = [one for one in alike if one.verdict == Verdict.FALSE_ALARM]
    right = [one.value for one in alike if one.verdict in (Verdict.REAL_DRIFT, Verdict.DATA_BUG)]
    if len(wrong) < ENOUGH:
        return None
    suggested = float(f"{max(one.value for one in wrong) * MARGIN:.3g}")
    if right and suggested >= min(right):
        return None
    return Suggestion(column, method, wrong[0].threshold, suggested, tuple(one.finding_id for one in wrong))

"""Keeps predictions that have an id, so that labels find them, whichever of both comes first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from drift.models import Prediction

_KEEP = """
INSERT INTO drift_prediction AS held (model_id, event, at, value, score, label, labelled_at, is_weighed)
SELECT %s, sent.*, false FROM unnest(
    %s::text[], %s::timestamptz[], %s::text[], %s::float8[], %s::text[], %s::timestamptz[]
) AS sent
ON CONFLICT (model_id, event) DO UPDATE SET
    at = coalesce(held.at, excluded.at),
    value = coalesce(held.value, excluded.value),
    score = coalesce(held.score, excluded.score),
    label = coalesce(held.label, excluded.label),
    labelled_at = CASE WHEN held.label IS NULL THEN excluded.labelled_at ELSE held.labelled_at END
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A prediction, its label, or both, as text. `at` is known once the prediction is."""

    event: str
    at: datetime | None = None
    value: str | None = None
    score: float | None = None
    label: str | None = None
    labelled_at: datetime | None = None

    def filled_by(self, later: "Said") -> "Said":
        """What came first stays."""
        is_label_new = self.label is None
        return replace(
            self,
            at=self.at or later.at,
            value=later.value if self.value is None else self.value,
            score=later.score if self.score is None else self.score,
            label=later.label if is_label_new else self.label,
            labelled_at=later.labelled_at if is_label_new else self.labelled_at,
        )


def held(model_id: int, ids: Iterable[str]) -> dict[str, Said]:
    """What is known of these already."""
    rows = Prediction.objects.filter(model_id=model_id, event__in=set(ids))
    found = rows.values_list("event", "at", "value", "score", "label", "labelled_at")
    return {row[0]: Said(*row) for row in found}


def keep(model_id: int, said: Sequence[Said]) -> None:
    """Each is stored, or fills what its row lacks. Within a transaction that holds the model's lock."""
    merged: dict[str, Said] = {}
    for one in said:
        merged[one.event] = merged[one.event].filled_by(one) if one.event in merged else one
    if not merged:
        return
    rows = [(one.event, one.at, one.value, one.score, one.label, one.labelled_at) for one in merged.values()]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [model_id, *(list(column) for column in zip(*rows, strict=True))])

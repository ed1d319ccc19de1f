"""Weighs labels as they come: the loss of each goes through the watch for concept drift once."""

import numpy as np
from django.db import transaction

from drift.findings import concepts
from drift.findings.concept import observe
from drift.models import ConceptWatch, Model, Prediction
from drift.native import labelled, references, watching
from drift.native.labelled import Baseline
from drift.native.locking import lock
from drift.native.meanings import Meanings

PORTION = 5000


def weigh(model_id: int) -> int:
    """Weigh what waits, in the order in which labels came; how many. A second run of the same does nothing."""
    done = 0
    while weighed := _weigh_portion(model_id):
        done += weighed
    return done


@transaction.atomic
def _weigh_portion(model_id: int) -> int:
    """The watch, what it opens and which labels it saw change together: killed, none of them did."""
    lock(model_id)
    waiting = Prediction.objects.filter(
        model_id=model_id, is_weighed=False, label__isnull=False, value__isnull=False
    ).order_by("labelled_at", "pk")
    rows = list(waiting.values_list("pk", "label", "value")[:PORTION])
    if not rows:
        return 0
    losses = _losses(model_id, [str(label) for _, label, _ in rows], [str(value) for _, _, value in rows])
    if losses:
        held, _ = ConceptWatch.objects.select_for_update().get_or_create(model_id=model_id)
        watch, changes = observe(watching.load(held.state), losses)
        held.state, held.rows = watching.packed(watch), held.rows + len(losses)
        held.save(update_fields=["state", "rows"])
        if changes:
            concepts.record(model_id, changes)
    Prediction.objects.filter(pk__in=[pk for pk, _, _ in rows]).update(is_weighed=True)
    return len(rows)


def _losses(model_id: int, labels: list[str], predictions: list[str]) -> list[float]:
    """Nothing where a regression has no errors of its reference to rank by, or no numbers."""
    meanings, reference = Meanings.of(Model.objects.get(pk=model_id)), references.active(model_id)
    rows = labelled.cleaned(meanings, labels, predictions, None)
    if rows is None:
        return []
    baseline = Baseline.from_json(reference.baseline if reference else {})
    found = labelled.losses_of(meanings, rows, baseline)
    return [] if found is None else np.asarray(found).tolist()

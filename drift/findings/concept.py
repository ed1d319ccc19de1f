"""Concept drift by labelled event: a rise of the loss opens at once, and a fall back to where it was closes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from drift.findings.tracking import Change
from drift.measures.labels.adwin import Adwin, Cut

SMALLEST_RISE = 0.02  # of the mean loss: less is certain in long streams, and harmless
HALF_WAY = 0.5


@dataclass(frozen=True, slots=True)
class Watch:
    """`usual` is the mean loss before the finding that is open, `worst` the highest one seen since. `detector` is the
    state of the window over losses, plain enough to store.
    """

    detector: Mapping[str, Any] = field(default_factory=lambda: Adwin().to_state())
    is_open: bool = False
    usual: float = 0.0
    worst: float = 0.0


@dataclass(frozen=True, slots=True)
class ConceptChange:
    """`row` counts labelled events from the first one of the watch."""

    change: Change
    row: int
    usual: float
    loss: float


def observe(watch: Watch, losses: Iterable[float]) -> tuple[Watch, tuple[ConceptChange, ...]]:
    """Take labelled events in, in their order; batches of any size give the same changes.

    1. Quiet: a cut with a rise opens. 2. Open: a further rise is the same finding; a fall below half way closes.
    """
    detector, found = Adwin.from_state(watch.detector), list[ConceptChange]()
    for loss in losses:
        cut = detector.add(min(max(loss, 0.0), 1.0))
        if cut is not None:
            watch, change = _moved(watch, cut)
            found += [] if change is None else [change]
    return replace(watch, detector=detector.to_state()), tuple(found)


def _moved(watch: Watch, cut: Cut) -> tuple[Watch, ConceptChange | None]:
    if not watch.is_open:
        if cut.after - cut.before < SMALLEST_RISE:
            return watch, None
        opened = replace(watch, is_open=True, usual=cut.before, worst=cut.after)
        return opened, ConceptChange(Change.OPENED, cut.row, cut.before, cut.after)
    if cut.after < watch.usual + HALF_WAY * (watch.worst - watch.usual):
        return replace(watch, is_open=False), ConceptChange(Change.CLOSED, cut.row, watch.usual, cut.after)
    return replace(watch, worst=max(watch.worst, cut.after)), None

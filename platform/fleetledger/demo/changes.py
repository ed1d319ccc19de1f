"""Writes which components changed when, as the judge would have seen it at each instant of their past."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetledger.lib.buckets import Window, from_us, to_us
from monitoring.availability import loading
from monitoring.availability.models import Series, Transition
from monitoring.availability.slots import SECOND_US, Stretch
from monitoring.availability.states import State
from monitoring.availability.tiles import STALE_AFTER, Last, Look, tiles
from monitoring.availability.tree import Tree

SEEN_AFTER_US = SECOND_US
BATCH = 2_000
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Line:
    """One series of a component."""

    component_id: int
    probe_id: int
    labels: Mapping[str, str]
    step_us: int
    stretches: Sequence[Stretch]
    starts: Sequence[int]

    def last(self, at_us: int) -> Last | None:
        """What was known of it at an instant."""
        found = bisect_right(self.starts, at_us) - 1
        if found < 0:
            return None
        one = self.stretches[found]
        slot_us = min(at_us // self.step_us * self.step_us, one.until_us - self.step_us)
        return Last(self.probe_id, self.labels, one.state, one.detail, from_us(slot_us), self.step_us // SECOND_US)

    def instants(self) -> Iterator[int]:
        """When it begins to say something else, and when it has been silent for too long."""
        for one in self.stretches:
            yield one.from_us
            yield one.until_us - self.step_us + int(STALE_AFTER * self.step_us) + SEEN_AFTER_US


def write(since: datetime, until: datetime) -> int:
    """The changes of [since, until) of all components; gives how many."""
    tree = loading.tree()
    lines, before = _lines(tree, since, until), _before(since)
    rows = [row for root in tree.children.get(None, ()) for row in _of_root(tree, root, lines, before, (since, until))]
    Transition.objects.bulk_create(sorted(rows, key=lambda row: row.at), batch_size=BATCH)
    return len(rows)


def _of_root(
    tree: Tree, root: int, lines: Mapping[int, Sequence[Line]], states: Mapping[int, State], span: Span
) -> Iterator[Transition]:
    """Of one component and all below it: nothing else changes with them."""
    names = tree.with_descendants([root])
    part = Tree.of([tree.nodes[pk] for pk in sorted(names)], {pk: tree.work[pk] for pk in names if pk in tree.work})
    mine = [line for pk in names for line in lines.get(pk, ())]
    before = {pk: states.get(pk, State.UNKNOWN) for pk in names}
    for at_us in _instants(part, mine, span):
        at = from_us(at_us)
        for pk, tile in tiles(part, _looks(mine, at_us), at).items():
            if tile.state is not before[pk]:
                yield Transition(component_id=pk, at=at, from_state=before[pk], to_state=tile.state, why=tile.why)
                before[pk] = tile.state


def _before(since: datetime) -> Mapping[int, State]:
    """The state of each component by then."""
    rows = Transition.objects.filter(at__lt=since).order_by("component_id", "-at", "-id").distinct("component_id")
    return {pk: State(state) for pk, state in rows.values_list("component_id", "to_state")}


def _instants(part: Tree, lines: Sequence[Line], span: Span) -> list[int]:
    since_us, until_us = map(to_us, span)
    found = {at for line in lines for at in line.instants()}
    found |= {at for pk in part.nodes for span in part.planned(pk) for at in span}
    return sorted(at for at in found if since_us <= at < until_us)


def _looks(lines: Sequence[Line], at_us: int) -> Mapping[int, Sequence[Look]]:
    seen: dict[tuple[int, int], list[Last]] = defaultdict(list)
    for line in lines:
        known = line.last(at_us)
        seen[line.component_id, line.probe_id] += [known] if known else []
    found: dict[int, list[Look]] = defaultdict(list)
    for (component_id, probe_id), series in seen.items():
        found[component_id].append(Look(probe_id, "", "", tuple(series)))
    return found


def _lines(tree: Tree, since: datetime, until: datetime) -> Mapping[int, Sequence[Line]]:
    past = loading.past(tree, list(tree.nodes), Window(since - timedelta(days=1), until), until)
    labels = dict(Series.objects.values_list("pk", "labels"))
    return {
        pk: [
            Line(pk, one.probe_id, labels[one.id], one.terms.step_us, one.stretches, [s.from_us for s in one.stretches])
            for one in some
        ]
        for pk, some in past.series.items()
    }

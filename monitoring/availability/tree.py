"""Components as a tree, with planned work, and what is known of each from its series: pure, for any stretch of time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from monitoring.availability import slots, timelines
from monitoring.availability.figures import Tally, total
from monitoring.availability.slots import Span, Stretch, Terms


@dataclass(frozen=True, slots=True)
class Node:
    """A component's place. `needs` None: one of its children, or all that its own probes see."""

    id: int
    name: str
    parent_id: int | None = None
    needs: int | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class SeriesTime:
    """What is stored of a series within some window."""

    component_id: int
    probe_id: int
    terms: Terms
    stretches: tuple[Stretch, ...]
    id: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    nodes: Mapping[int, Node]
    work: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    children: Mapping[int | None, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[Node], work: Mapping[int, Sequence[Span]]) -> "Tree":
        known = {node.id: node for node in nodes}
        children: dict[int | None, list[int]] = defaultdict(list)
        for node in known.values():
            children[node.parent_id if node.parent_id in known else None].append(node.id)
        return cls(known, dict(work), dict(children))

    def ancestors(self, component_id: int) -> Iterator[int]:
        """Those above it, the nearest first."""
        seen = {component_id}
        at = self.nodes[component_id].parent_id
        while at is not None and at in self.nodes and at not in seen:
            yield at
            seen.add(at)
            at = self.nodes[at].parent_id

    def with_descendants(self, component_ids: Iterable[int]) -> set[int]:
        found: set[int] = set()
        waiting = [pk for pk in component_ids if pk in self.nodes]
        while waiting:
            pk = waiting.pop()
            if pk not in found:
                found.add(pk)
                waiting.extend(self.children.get(pk, ()))
        return found

    def planned(self, component_id: int) -> list[Span]:
        """Planned work on it or on anything above it, apart and in order."""
        spans = [span for pk in (component_id, *self.ancestors(component_id)) for span in self.work.get(pk, ())]
        found: list[Span] = []
        for low, high in sorted(spans):
            if found and low <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], high))
            else:
                found.append((low, high))
        return found

    def is_derived(self, component_id: int) -> bool:
        """Whether its time is that of a service: derived from several that stand in for each other."""
        return bool(self.children.get(component_id)) or self.nodes[component_id].needs is not None


@dataclass(frozen=True, slots=True)
class Past:
    """A tree with its series' time in [from, until)."""

    tree: Tree
    from_us: int
    until_us: int
    series: Mapping[int, Sequence[SeriesTime]]

    def tally(self, component_id: int) -> Tally:
        """Slots of its series together; a service's time as it was derived."""
        if self.tree.is_derived(component_id):
            return timelines.tally(self.timeline(component_id), self.from_us, self.until_us)
        work = self.tree.planned(component_id)
        return total(self.series_tally(item, work) for item in self.series.get(component_id, ()))

    def series_tally(self, item: SeriesTime, work: Sequence[Span]) -> Tally:
        return slots.tally(item.terms, item.stretches, self.from_us, self.until_us, work)

    def timeline(self, component_id: int) -> list[Stretch]:
        """Its states over time: of its probes, of what is below it, or the worse of both."""
        found = [part for part in (self._own(component_id), self._below(component_id)) if part]
        line = found[0] if len(found) == 1 else timelines.combined(found, timelines.worst)
        return timelines.overlaid(line, self.tree.planned(component_id))

    def _own(self, component_id: int) -> list[Stretch]:
        by_probe: dict[int, list[list[Stretch]]] = defaultdict(list)
        for item in self.series.get(component_id, ()):
            line = timelines.of_series(item.terms, item.stretches, self.from_us, self.until_us)
            by_probe[item.probe_id].append(line)
        needs = self.tree.nodes[component_id].needs
        if needs is not None and not self.tree.children.get(component_id):
            return timelines.combined([line for lines in by_probe.values() for line in lines], timelines.service(needs))
        probes = [_alike(lines) for lines in by_probe.values()]
        return probes[0] if len(probes) == 1 else timelines.combined(probes, timelines.worst)

    def _below(self, component_id: int) -> list[Stretch]:
        lines = [self.timeline(child) for child in self.tree.children.get(component_id, ())]
        needs = self.tree.nodes[component_id].needs or 1
        return timelines.combined(lines, timelines.service(needs)) if lines else []


def _alike(lines: Sequence[list[Stretch]]) -> list[Stretch]:
    return lines[0] if len(lines) == 1 else timelines.combined(lines, timelines.all_alike)

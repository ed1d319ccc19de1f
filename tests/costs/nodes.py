"""Nodes with held hours for tests, as telemetry would tell them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from costs import allocate
from fleetledger.fleet.models import Node, Team
from fleetledger.lib.buckets import Window
from monitoring.telemetry.reads import HeldHour

HOUR_US = 3_600_000_000
TEN = datetime(2026, 10, 5, 10, tzinfo=UTC)


@dataclass
class Telemetry:
    """Stands where telemetry's reads stand; `version` moves on with every hour that is added."""

    hours: list[HeldHour] = field(default_factory=list)

    def held_hours(self, window: Window, *, node_ids: Collection[int] | None = None) -> Iterator[HeldHour]:
        for hour in self.hours:
            if window.start <= hour.at < window.end and (node_ids is None or hour.node_id in node_ids):
                yield hour

    def version(self) -> int:
        return len(self.hours)

    def gpu(
        self,
        node: Node,
        gpu_id: int,
        held: Sequence[tuple[Team | None, int]],
        *,
        at: datetime = TEN,
        model: str = "NVIDIA H100",
        busy_share: int = 1,
        kind: str = "allocated",
    ) -> None:
        """An hour of a GPU: each holder's microseconds, the rest free. `busy_share`: 1 all busy, 2 half of it."""
        rest = HOUR_US
        for workload_id, (team, held_us) in enumerate(held, 1):
            rest -= held_us
            self.hours.append(
                HeldHour(
                    at, node.pk, gpu_id, model, team.pk if team else None, workload_id,
                    kind if team else "unowned", held_us, held_us // busy_share, held_us,
                )
            )  # fmt: skip
        if rest:
            self.hours.append(HeldHour(at, node.pk, gpu_id, model, None, None, "unallocated", rest, 0, 0))

    def unknown(self, node: Node, gpu_id: int, *, at: datetime = TEN, held_us: int = HOUR_US) -> None:
        self.hours.append(HeldHour(at, node.pk, gpu_id, "NVIDIA H100", None, None, "unknown", held_us, 0, 0))


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    stand_in = Telemetry()
    monkeypatch.setattr(allocate, "telemetry", stand_in)
    return stand_in


def later(hours: int) -> datetime:
    return TEN + timedelta(hours=hours)

"""What the rooms above tell the fleet, as protocols that they fill at start-up: the fleet imports none of them."""

from collections.abc import Callable, Collection
from typing import Protocol


class HeldGpus(Protocol):
    """The GPUs on which workloads of these teams held time in the last 30 days."""

    def __call__(self, team_ids: Collection[int]) -> frozenset[int]: ...


_held_gpus: list[HeldGpus] = []


def register_held_gpus(held: HeldGpus) -> None:
    """Telemetry calls this from its AppConfig.ready."""
    _held_gpus[:] = [held]


def held_gpu_ids(team_ids: Collection[int]) -> frozenset[int]:
    """Ids of fleet.Gpu; none while nobody has registered."""
    held: Callable[[Collection[int]], frozenset[int]] | None = _held_gpus[0] if _held_gpus else None
    return held(team_ids) if held and team_ids else frozenset()

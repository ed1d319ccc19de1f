"""What the rooms above tell the fleet, as protocols that they fill at start-up: the fleet imports none of them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
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


@dataclass(frozen=True, slots=True)
class HourPrice:
    """What an hour of one GPU costs, exact."""

    amount: Decimal
    currency: str


class GpuHourPrice(Protocol):
    """Prices by GPU model at an instant; a model without one is left out."""

    def __call__(self, gpu_models: Collection[str], at: datetime) -> Mapping[str, HourPrice]: ...


_hour_prices: list[GpuHourPrice] = []


def register_gpu_hour_price(price: GpuHourPrice) -> None:
    """Costs calls this from its AppConfig.ready."""
    _hour_prices[:] = [price]


def gpu_hour_prices(gpu_models: Collection[str], at: datetime) -> Mapping[str, HourPrice]:
    """Nothing while nobody has registered, and for models without a price."""
    return _hour_prices[0](gpu_models, at) if _hour_prices and gpu_models else {}


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What a team may still spend this month; negative where it is over."""

    amount: Decimal
    currency: str


class TeamBudget(Protocol):
    """What is left of a team's budget at an instant; None for a team without one."""

    def __call__(self, team_id: int, at: datetime) -> BudgetLeft | None: ...


_budgets: list[TeamBudget] = []


def register_team_budget(budget: TeamBudget) -> None:
    """Costs calls this from its AppConfig.ready."""
    _budgets[:] = [budget]


def budget_left(team_id: int, at: datetime) -> BudgetLeft | None:
    """None while nobody has registered: no budget is known."""
    return _budgets[0](team_id, at) if _budgets else None


class BackedUp(Protocol):
    """Keeps that a backup of the whole database was written just now, and how long that took."""

    def __call__(self, took: timedelta) -> None: ...


_backed_up: list[BackedUp] = []


def register_backed_up(noted: BackedUp) -> None:
    """Availability calls this from its AppConfig.ready."""
    _backed_up[:] = [noted]


def tell_backed_up(took: timedelta) -> None:
    """Nobody hears it while nobody has registered."""
    for noted in _backed_up:
        noted(took)

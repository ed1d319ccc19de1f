"""What a mitigation costs: before, from the last retrains and the price now; after, from telemetry. Unknown is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from drift.models import Mitigation, MitigationKind, Model
from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.errors import FleetError
from fleetledger.fleet.models import Gpu
from fleetledger.fleet.pools import PoolResolver
from fleetledger.lib import money
from fleetledger.lib.buckets import HOUR, Window, ceil, floor
from monitoring.telemetry import reads, reads_runs
from monitoring.telemetry.reads_runs import Run

LOOK_BACK = timedelta(days=90)
LAST_RUNS = 5
_US_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """`gpu_hours`, `amount` and `budget_left` are None where unknown; `why` says it in words. Decimals stay exact."""

    gpu_hours: Decimal | None = None
    gpu_model: str = ""
    price: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    runs: int = 0
    budget_left: Decimal | None = None
    budget_currency: str = ""
    why: str = ""

    def packed(self) -> dict[str, Any]:
        """As JSON holds it; a decimal is a text."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in found.items()}

    @classmethod
    def unpacked(cls, document: Mapping[str, Any]) -> "Cost":
        decimals = ("gpu_hours", "price", "amount", "budget_left")
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(**known | {name: Decimal(known[name]) for name in decimals if known.get(name) is not None})


def estimate(model: Model, kind: str, now: datetime) -> Cost:
    """The median of the last retrains, at the price of the model's pool: of its GPU that they held most."""
    if kind != MitigationKind.RETRAIN:
        return _with_budget(Cost(why="Only a retrain's GPU-hours are estimated."), model, now)
    if not model.retrain_match:
        return _with_budget(Cost(why="Unknown: the model has no retrain_match, so no retrain is known."), model, now)
    found = _runs(model, Window(now - LOOK_BACK, now))[:LAST_RUNS]
    if not found:
        why = f"Unknown: no retrain ran within {LOOK_BACK.days} days."
        return _with_budget(Cost(why=why), model, now)
    hours = _hours(int(median(run.total_us for run in found)))
    return _with_budget(_in_pool(hours, found, model.pool, now), model, now)


def actual(row: Mitigation) -> Cost | None:
    """What runs held that began after it was sent; None until it is over and telemetry complete up to its end."""
    began, end, model = row.sent_at or row.started_at, row.finished_at, row.finding.model
    complete = reads.complete_until() if end is not None else None
    if end is None or complete is None or complete < end:
        return None
    if began is None:
        return Cost(why="It never ran.")
    if not model.retrain_match:
        return Cost(why="Unknown: the model has no retrain_match, so its runs are not known.")
    window = Window(floor(began, HOUR), max(ceil(end, HOUR), floor(began, HOUR) + HOUR))
    known_before = {_name(run) for run in _runs(model, Window(began - LOOK_BACK, window.start))}
    found = [run for run in _runs(model, window) if _name(run) not in known_before]
    if not found:
        return Cost(why="Unknown: telemetry saw no run that matches.")
    return _priced(_hours(sum(run.total_us for run in found)), found, end)


def shown(row: Mitigation) -> Cost:
    """The actual cost as far as it is known."""
    if row.actual:
        return Cost.unpacked(row.actual)
    if row.finished_at is None:
        return Cost(why="Not known before it is over.")
    return Cost(why="Not known yet: telemetry is not complete up to its end.")


def _runs(model: Model, window: Window) -> tuple[Run, ...]:
    """Of the owner's team and those below it."""
    teams = TeamScope(fleet=False, team_ids=frozenset(reads.team_ids(model.owner.slug, rollup_tree=True)))
    try:
        return reads_runs.runs(model.retrain_match, window, teams=teams)
    except FleetError:  # an expression that cannot be used matches nothing
        return ()


def _in_pool(hours: Decimal, found: Sequence[Run], pool: str, at: datetime) -> Cost:
    """The price is the pool's own or nobody's: hours on other GPUs say nothing of what it costs there."""
    most = _held_most(found)
    if not pool:
        why = "The amount is unknown: the model names no pool. Give it one under 'models' in the configuration."
    elif most not in _gpu_models(pool):
        why = f"The amount is unknown: the last retrains held {most}, which pool '{pool}' does not have."
    else:
        return _priced(hours, found, at)
    return Cost(hours, most, runs=len(found), why=why)


def _gpu_models(pool: str) -> frozenset[str]:
    """Of the GPUs that are in the pool now."""
    pools = PoolResolver.load()
    places = Gpu.objects.filter(retired_at=None).values_list("node__cluster__name", "node__name", "model").distinct()
    named = [(cluster or "", node or "", gpu_model) for cluster, node, gpu_model in places]
    return frozenset(place[2] for place in named if (terms := pools.pool_for(*place)) and terms.name == pool)


def _held_most(found: Sequence[Run]) -> str:
    held: dict[str, int] = {}
    for run in found:
        for gpu_model, held_us in run.held_us.items():
            held[gpu_model] = held.get(gpu_model, 0) + held_us
    return max(held, key=lambda name: (held[name], name))


def _priced(hours: Decimal, found: Sequence[Run], at: datetime) -> Cost:
    most = _held_most(found)
    price = ports.gpu_hour_prices([most], at).get(most)
    if price is None:
        return Cost(hours, most, runs=len(found), why=f"The amount is unknown: {most} has no price.")
    minor = money.rounded_minor(money.EXACT.multiply(hours, price.amount), price.currency)
    amount = money.from_minor(minor, price.currency)
    return Cost(hours, most, price.amount, amount, price.currency, len(found))


def _with_budget(cost: Cost, model: Model, now: datetime) -> Cost:
    left = ports.budget_left(model.owner_id, now)
    if left is None:
        return Cost(**{**_parts(cost), "why": f"{cost.why} No budget is known.".strip()})
    return Cost(**{**_parts(cost), "budget_left": left.amount, "budget_currency": left.currency})


def _parts(cost: Cost) -> dict[str, Any]:
    return {name: getattr(cost, name) for name in cost.__dataclass_fields__}


def _hours(held_us: int) -> Decimal:
    return (Decimal(held_us) / _US_PER_HOUR).quantize(Decimal("0.001"))


def _name(run: Run) -> tuple[str, str, str]:
    return run.cluster, run.namespace, run.name

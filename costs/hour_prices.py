"""What an hour of a GPU costs, by model: the latest allocated month's money by the time that it was divided among."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from django.db import connection

from costs.models import AllocationRun, CostDay, RunState
from fleetledger.fleet.ports import HourPrice
from fleetledger.lib import money

HOUR_US = Decimal(3_600_000_000)
_PLACES = Decimal("0.000000001")

# Several rows may stand for the same time of a machine: its hour, its disk's hour, its network's month. Money adds up,
# time must not: of rows of one span it counts once, and of spans of several lengths that of the fullest.
_BY_MODEL = """
WITH rowed AS (
    SELECT l.row_id, l.day, l.gpu_model, r.currency, sum(l.amount) AS amount, sum(l.numerator) AS us
    FROM costs_allocationrun r JOIN costs_allocationline l ON l.run_id = r.id
    WHERE r.id = ANY(%(runs)s) AND l.gpu_model <> '' GROUP BY 1, 2, 3, 4
), spanned AS (
    SELECT s.segment, b.charge_start_at, b.charge_end_at - b.charge_start_at AS length, w.day, w.gpu_model, w.currency,
        sum(w.amount) AS amount, max(w.us) AS us
    FROM rowed w JOIN costs_billrow b ON b.id = w.row_id JOIN costs_billedresource s ON s.id = b.resource_id
    GROUP BY 1, 2, 3, 4, 5, 6
), dayed AS (
    SELECT segment, length, day, gpu_model, currency, sum(amount) AS amount, sum(us) AS us
    FROM spanned GROUP BY 1, 2, 3, 4, 5
), whole AS (
    SELECT segment, day, gpu_model, currency, sum(amount) AS amount, max(us) AS us FROM dayed GROUP BY 1, 2, 3, 4
)
SELECT gpu_model, currency, sum(amount), sum(us) FROM whole GROUP BY 1, 2 HAVING sum(us) > 0 ORDER BY 1, 4, 2
"""


def hour_prices(gpu_models: Collection[str], at: datetime) -> Mapping[str, HourPrice]:
    """The prices known at `at`; a model that no allocated month has a cost of is left out."""
    period = _latest_period(at.date())
    if period is None:
        return {}
    runs = AllocationRun.objects.filter(period=period).exclude(state=RunState.RUNNING).order_by("pk")
    known = _prices(tuple(runs.values_list("pk", flat=True)))
    return {model: known[model] for model in gpu_models if model in known}


def _latest_period(on: date) -> date | None:
    days = CostDay.objects.filter(run__period__lte=on).exclude(gpu_model="")
    return days.order_by("-run__period").values_list("run__period", flat=True).first()


@lru_cache(maxsize=8)
def _prices(runs: tuple[int, ...]) -> Mapping[str, HourPrice]:
    """By model; where it is billed in several currencies, in the one that most of its time is. Runs never change."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_MODEL, {"runs": list(runs)})
        rows = cursor.fetchall()
    found: dict[str, HourPrice] = {}
    for model, currency, amount, us in rows:
        exact = money.EXACT.divide(money.EXACT.multiply(amount, HOUR_US), us)
        found[model] = HourPrice(exact.quantize(_PLACES, context=money.EXACT), currency)
    return found

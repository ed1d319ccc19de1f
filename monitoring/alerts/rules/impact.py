"""What waste costs: the annotations that every alert about idle GPUs has, in GPU-hours and money per day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from fleetledger.fleet import ports
from fleetledger.lib import money
from monitoring.alerts.rules.found import Found

WASTE = "waste"
"""An option of PromQL rules: what each result stands for, `gpu` (one idle GPU) or `value` (as many as its value)."""
GPU, VALUE = "gpu", "value"
HOURS_PER_DAY = 24
MODEL_LABELS = ("gpu_model", "modelName", "model")
UNKNOWN = "no price yet"

GpuHours = Mapping[str, float]
"""GPU-hours per day by GPU model."""


def annotations(hours: GpuHours, at: datetime) -> dict[str, str]:
    """`impact_gpu_hours_per_day`, and either `impact_per_day` with `impact_currency`, or why that is unknown."""
    prices = ports.gpu_hour_prices([model for model in hours if model], at)
    told = {"impact_gpu_hours_per_day": f"{sum(hours.values()):.2f}"}
    without = sorted(model or "an unknown model" for model in hours if model not in prices)
    currencies = sorted({price.currency for model, price in prices.items() if model in hours})
    if without:
        reason = UNKNOWN if not currencies else f"{UNKNOWN} for {', '.join(without)}"
    elif len(currencies) > 1:
        reason = f"prices in several currencies ({', '.join(currencies)})"
    else:
        return told | _priced(hours, prices, *currencies)
    return told | {"impact_unknown": reason}


def of_waste(found: Sequence[Found], kind: str, at: datetime) -> list[Found]:
    """`found` with the cost of each result, where the rule says that its results are idle GPUs."""
    if kind not in (GPU, VALUE):
        return list(found)
    return [replace(one, annotations={**one.annotations, **annotations(_hours(one, kind), at)}) for one in found]


def _hours(one: Found, kind: str) -> GpuHours:
    model = next((one.labels[name] for name in MODEL_LABELS if one.labels.get(name)), "")
    return {model: HOURS_PER_DAY * (one.value if kind == VALUE else 1.0)}


def _priced(hours: GpuHours, prices: Mapping[str, ports.HourPrice], currency: str = "") -> dict[str, str]:
    if not currency:
        return {}
    parts = [prices[model].amount * Decimal(f"{count:.6f}") for model, count in hours.items()]
    minor = money.rounded_minor(money.total(parts), currency)
    return {"impact_per_day": money.plain(money.from_minor(minor, currency)), "impact_currency": currency}

"""Finds out from a day of a server's own samples whether its GPU_UTIL is percent or a share of 0-1."""

from collections.abc import Callable, Sequence
from typing import Any

from monitoring.telemetry.sources.fields import BY_FIELD, IDLE_SHARE, board_watts
from monitoring.telemetry.sources.labels import MODEL_LABELS
from monitoring.telemetry.sources.promql import selector
from monitoring.telemetry.sources.readings import Field

Rows = list[dict[str, Any]]
DAY = "[1d]"


def util_is_share(ask: Callable[[str], Rows], matchers: Sequence[str]) -> bool:
    """Whether for a day no GPU_UTIL was above 1 while some board drew far more than an idle one."""
    peaks = f"({_peaks(Field.UTIL, matchers)})"
    if ask(f"count({peaks} > 1 <= 100)") or not ask(f"count({peaks} > 0 <= 1)"):
        return False
    by = ",".join(("UUID", *MODEL_LABELS))
    return any(_at_work(row) for row in ask(f"max by ({by}) ({_peaks(Field.POWER, matchers)})"))


def _peaks(name: Field, matchers: Sequence[str]) -> str:
    return " or ".join(f"max_over_time({selector([wire], matchers)}{DAY})" for wire in BY_FIELD[name].dcgm_names)


def _at_work(row: dict[str, Any]) -> bool:
    labels = row["metric"]
    limit = board_watts(next((labels[name] for name in MODEL_LABELS if labels.get(name)), ""))
    return bool(IDLE_SHARE * limit < float(row["value"][1]) <= limit)

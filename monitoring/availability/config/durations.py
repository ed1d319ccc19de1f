"""Reads durations of an entry as seconds, with a refusal in words."""

from collections.abc import Mapping
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.plan import Plan
from fleetledger.lib.durations import DurationError, parse_duration

LONGEST_S = 366 * 86_400


def seconds(
    item: Mapping[str, Any], key: str, path: Path, plan: Plan, default: float, *, may_be_zero: bool = False
) -> float:
    if key not in item:
        return default
    try:
        found = parse_duration(str(item[key]), may_be_zero=may_be_zero).total_seconds()
    except DurationError as error:
        plan.refuse((*path, key), str(error))
        return default
    if found > LONGEST_S:
        plan.refuse((*path, key), "This is longer than a year. Give a shorter duration.")
        return default
    return found


def whole_seconds(
    item: Mapping[str, Any], key: str, path: Path, plan: Plan, default: int, *, may_be_zero: bool = False
) -> int:
    found = seconds(item, key, path, plan, default, may_be_zero=may_be_zero)
    if found != int(found):
        plan.refuse((*path, key), "Give whole seconds.")
    return int(found)

"""Idle GPUs: held by a workload and not used, per team or per workload, with what that costs in a day."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from monitoring.alerts.rules import impact
from monitoring.alerts.rules.errors import OptionError
from monitoring.alerts.rules.facts import Fact, Question
from monitoring.alerts.rules.found import Found
from monitoring.telemetry.reads_idle import IdleHold, Threshold, idle_holds

NAME = "idle_gpus"
UNOWNED = "(unowned)"
BY = ("workload", "team")
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Options:
    """`below`: the utilisation under which a GPU is idle; `held` and `measured`: shares of the window and of the held
    time that must be there, so that unknown time never counts as idle. `by`: workload or team.
    """

    window: timedelta = timedelta(hours=1)
    below: float = 0.05
    held: float = 0.9
    measured: float = 0.9
    by: str = "workload"

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise OptionError("by", f"'{self.by}' is not known. Write one of {', '.join(BY)}.")
        if not SHORTEST <= self.window <= LONGEST:
            raise OptionError("window", "A window for idle GPUs lasts from 10m to 1d.")


def look(question: Question) -> Sequence[Found]:
    """A result per workload (or team) that holds idle GPUs; its value is how many."""
    options: Options = question.options
    threshold = Threshold(options.window, options.below, options.held, options.measured)
    groups: dict[tuple[Any, ...], list[IdleHold]] = defaultdict(list)
    for hold in idle_holds(question.at, threshold):
        groups[_group(hold, options.by)].append(hold)
    return [_found(holds, options, question) for holds in groups.values()]


def _group(hold: IdleHold, by: str) -> tuple[Any, ...]:
    return (hold.team_id,) if by == "team" else (hold.team_id, hold.cluster, hold.namespace, hold.workload)


def _found(holds: Sequence[IdleHold], options: Options, question: Question) -> Found:
    first = holds[0]
    labels = {"team": first.team or UNOWNED}
    if options.by == "workload":
        labels |= {"cluster": first.cluster, "namespace": first.namespace, "workload": first.workload}
    gpus = sum(hold.gpus for hold in holds)
    hours: dict[str, float] = defaultdict(float)
    for hold in holds:
        hours[hold.gpu_model] += impact.HOURS_PER_DAY * hold.idle_us / hold.window.duration_us
    told = {"summary": _summary(labels, gpus), "description": _description(holds, options)}
    return Found(labels, float(gpus), first.team_id, told | impact.annotations(hours, question.at))


def _summary(labels: dict[str, str], gpus: int) -> str:
    who = f"{labels['namespace']}/{labels['workload']}" if "workload" in labels else f"Team {labels['team']}"
    return f"{who} holds {gpus} idle GPU{'s' if gpus != 1 else ''}"


def _description(holds: Sequence[IdleHold], options: Options) -> str:
    busy = sum(hold.busy_us for hold in holds) / max(1, sum(hold.measured_us for hold in holds))
    models = ", ".join(sorted({hold.gpu_model for hold in holds}))
    until = min(hold.window.end for hold in holds)
    hours = options.window / timedelta(hours=1)
    return (
        f"{models}: {busy:.1%} busy over {hours:g} h until {until:%Y-%m-%d %H:%M}Z. "
        "Free them, or tell their owner that they are paid for."
    )


FACT = Fact(NAME, look, Options, "Workloads or teams that hold GPUs without using them, with the cost per day.")

"""`GET /api/v1/usage`: what GPUs were used for, as the pages show it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.models import Team
from fleetledger.lib.buckets import HOUR, Window, ceil, floor
from fleetledger.rest import params
from fleetledger.rest.problems import NotFoundError, ProblemError
from fleetledger.rest.schema import endpoint
from fleetledger.rest.views import ApiView, with_etag
from monitoring.telemetry import reads
from monitoring.telemetry.reads import GroupBy, Step, Usage

SECOND_US = 1_000_000
WH_UJ = 3_600_000_000
LONGEST = timedelta(days=800)
MAX_POINTS = 100_000
STEP_SPAN = {Step.HOUR: timedelta(hours=1), Step.DAY: timedelta(days=1), Step.BUCKET: timedelta(minutes=5)}


@dataclass(frozen=True, slots=True)
class UsageRowAnswer:
    """Held time of one group; seconds are GPU-seconds, shares 0 to 1."""

    group: str
    at: datetime | None
    allocated_seconds: float
    busy_seconds: float
    mean_utilization: float | None
    sm_active: float | None
    tensor_active: float | None
    dram_active: float | None
    memory_used_bytes: int | None
    energy_wh: float | None
    estimated: bool


@dataclass(frozen=True, slots=True)
class UsageAnswer:
    """allocated of all rows + unallocated + unknown = gpu_seconds, exactly."""

    to: datetime
    complete_until: datetime | None
    scope: str
    group_by: str
    step: str
    gpus: int | None
    gpu_seconds: float | None
    observed_seconds: float
    unallocated_seconds: float | None
    unknown_seconds: float | None
    rejected_samples: int
    energy_wh: float | None
    rows: tuple[UsageRowAnswer, ...]


PARAMETERS = [
    OpenApiParameter("from", str, required=True, description="RFC 3339 or seconds since 1970, on five minutes."),
    OpenApiParameter("to", str, required=True, description="The end, not included."),
    OpenApiParameter("group_by", str, enum=[group.value for group in GroupBy]),
    OpenApiParameter("step", str, enum=[step.value for step in Step]),
    OpenApiParameter("team", str, description="Only this team's time, by its slug."),
    OpenApiParameter("rollup", str, enum=["tree"], description="tree: a team's row holds the teams below it."),
]


class UsageView(ApiView):
    """Usage of a window by team, cluster, namespace, workload, node, GPU or model."""

    area = "telemetry"

    @endpoint(UsageAnswer, summary="GPU usage of a window", parameters=PARAMETERS)
    def get(self, request: Request) -> Response:
        params.only(request, "from", "to", "group_by", "step", "team", "rollup")
        window = params.window(request, longest=LONGEST)
        group_by = params.choice(request, "group_by", GroupBy, GroupBy.TEAM)
        step = params.choice(request, "step", Step, Step.TOTAL)
        _refuse_lost_minutes(window)
        _refuse_too_many_points(window, step)
        team = self._team(request)
        rollup = params.one_of(request, "rollup", ["", "tree"], "") == "tree"

        def build() -> Response:
            found = reads.usage(window, group_by=group_by, step=step, teams=self.teams, team=team, rollup_tree=rollup)
            return Response(answer(found, group_by, step))

        return with_etag(request, str(reads.version()), build)

    def _team(self, request: Request) -> str | None:
        slug = params.text(request, "team")
        if not slug:
            return None
        found = Team.objects.filter(slug=slug).values_list("pk", flat=True).first()
        if found is None or not self.teams.allows(found):
            raise NotFoundError(f"No team is called '{slug}'.")
        return slug


def answer(usage: Usage, group_by: GroupBy, step: Step) -> dict[str, object]:
    """The answer's JSON: microseconds as seconds with six decimals, microjoules as watt-hours."""
    return {
        "from": usage.window.start,
        "to": usage.window.end,
        "complete_until": usage.complete_until,
        "scope": usage.scope,
        "group_by": group_by.value,
        "step": step.value,
        "gpus": usage.gpus,
        "gpu_seconds": _seconds(usage.gpu_us),
        "observed_seconds": _seconds(usage.observed_us),
        "unallocated_seconds": _seconds(usage.unallocated_us),
        "unknown_seconds": _seconds(usage.unknown_us),
        "rejected_samples": usage.rejected_samples,
        "energy_wh": _watt_hours(usage.energy_uj),
        "rows": [_row(row) for row in usage.rows],
    }


def _row(row: reads.UsageRow) -> dict[str, object]:
    return {
        "group": row.group,
        "at": row.at,
        "allocated_seconds": _seconds(row.allocated_us),
        "busy_seconds": _seconds(row.busy_us),
        "mean_utilization": _rounded(row.mean_utilization),
        "sm_active": _rounded(row.sm_active),
        "tensor_active": _rounded(row.tensor_active),
        "dram_active": _rounded(row.dram_active),
        "memory_used_bytes": row.memory_used_bytes,
        "energy_wh": _watt_hours(row.energy_uj),
        "estimated": row.estimated,
    }


def _refuse_lost_minutes(window: Window) -> None:
    """Where only hours are left, an edge between hours cannot be answered."""
    oldest = reads.oldest_fact_at()
    for name, at in (("from", window.start), ("to", window.end)):
        if oldest is not None and at < oldest and floor(at, HOUR) != at:
            nearest = f"{floor(at, HOUR):%Y-%m-%dT%H:%M:%SZ} and {ceil(at, HOUR):%Y-%m-%dT%H:%M:%SZ}"
            raise ProblemError(
                f"Only whole hours are kept before {oldest:%Y-%m-%d}: '{name}' can be {nearest}.", parameter=name
            )


def _refuse_too_many_points(window: Window, step: Step) -> None:
    if step is not Step.TOTAL and window.duration / STEP_SPAN[step] > MAX_POINTS:
        raise ProblemError(
            "That is too many steps for one answer: take a longer step or a shorter window.", parameter="step"
        )


def _seconds(microseconds: int | None) -> float | None:
    """Exact to the microsecond up to some 280 GPU-years."""
    return None if microseconds is None else round(microseconds / SECOND_US, 6)


def _watt_hours(microjoules: int | None) -> float | None:
    return None if microjoules is None else round(microjoules / WH_UJ, 6)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

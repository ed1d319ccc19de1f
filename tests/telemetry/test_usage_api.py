"""`GET /api/v1/usage`: exact sums, who sees what, and refusals that name what would be right."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from fleetledger.fleet.models import Team
from tests import world
from tests.telemetry import world as said
from tests.telemetry.samples import BOB, every, series

pytestmark = pytest.mark.django_db


def _fill() -> tuple[Team, Team]:
    """An hour of one GPU: 45 minutes of team-a, below `research`, then 15 minutes of team-b."""
    research = world.team("research")
    ours, theirs = world.team("team-a", parent=research), world.team("team-b")
    world.rule(ours, {"namespace": "team-a"})
    world.rule(theirs, {"namespace": "team-b"})
    said.read(said.source(), [series(every(30, -300, 2700), 0.8), series(every(30, 2700, 3900), 0.2, holder=BOB)])
    return ours, theirs


def _ask(caller: Team | None = None, /, words: Mapping[str, str] | None = None, **more: str) -> Any:
    start, end = said.window().start, said.window().end
    query = {"from": start.isoformat().replace("+00:00", "Z"), "to": str(int(end.timestamp()))}
    query |= {**(words or {}), **more}
    return Client().get("/api/v1/usage", query, headers=world.bearer(world.token(team=caller)))


def test_rows_unallocated_and_unknown_are_the_gpus_existence() -> None:
    _fill()
    answer = _ask().json()
    assert [
        (row["group"], row["allocated_seconds"], row["busy_seconds"], row["mean_utilization"]) for row in answer["rows"]
    ] == [
        ("team-a", 2700.0, 2160.0, 80.0),
        ("team-b", 900.0, 180.0, 20.0),
    ]
    assert (answer["gpus"], answer["gpu_seconds"], answer["unallocated_seconds"], answer["unknown_seconds"]) == (
        1,
        3600.0,
        0.0,
        0.0,
    )
    assert (answer["scope"], answer["from"], answer["to"]) == ("fleet", "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z")
    assert answer["complete_until"] == "2026-11-23T02:00:00Z"
    assert answer["energy_wh"] is None


def test_a_stranger_sees_the_own_rows_and_nothing_of_the_fleet() -> None:
    _ours, theirs = _fill()
    answer = _ask(theirs).json()
    assert [row["group"] for row in answer["rows"]] == ["team-b"]
    assert [answer[name] for name in ("scope", "gpus", "gpu_seconds", "unallocated_seconds", "unknown_seconds")] == [
        "teams", None, None, None, None,
    ]  # fmt: skip
    assert _ask(theirs, team="team-a").status_code == 404


@pytest.mark.parametrize("group_by", ["team", "cluster", "namespace", "workload", "node", "gpu", "gpu_model"])
@pytest.mark.parametrize("step", ["total", "hour", "day"])
def test_every_group_and_step_holds_the_same_time(group_by: str, step: str) -> None:
    _fill()
    rows = _ask(group_by=group_by, step=step).json()["rows"]
    assert sum(row["allocated_seconds"] for row in rows) == 3600.0
    assert sum(row["busy_seconds"] for row in rows) == 2340.0


def test_a_parents_row_holds_its_children_only_where_the_tree_is_asked_for() -> None:
    _fill()
    alone = {row["group"]: row["allocated_seconds"] for row in _ask().json()["rows"]}
    whole = {row["group"]: row["allocated_seconds"] for row in _ask(rollup="tree").json()["rows"]}
    assert alone == {"team-a": 2700.0, "team-b": 900.0}
    assert whole == {"research": 2700.0, "team-a": 2700.0, "team-b": 900.0}


def test_instants_off_the_five_minutes_are_refused_with_the_nearest() -> None:
    answer = _ask(words={"from": "2026-11-23T01:02:00Z"})
    assert answer.status_code == 422
    assert "2026-11-23T01:00:00Z and 2026-11-23T01:05:00Z" in answer.json()["detail"]


def test_a_window_of_some_minutes_is_answered_from_facts() -> None:
    _fill()
    answer = _ask(words={"from": "2026-11-23T01:40:00Z", "to": "2026-11-23T01:50:00Z"}).json()
    assert {row["group"]: row["allocated_seconds"] for row in answer["rows"]} == {"team-a": 300.0, "team-b": 300.0}
    assert answer["gpu_seconds"] == 600.0


def test_the_same_answer_is_not_sent_twice_and_csv_has_its_rows() -> None:
    _fill()
    headers = world.bearer(world.token())
    query = {"from": "2026-11-23T01:00:00Z", "to": "2026-11-23T02:00:00Z"}
    first = Client().get("/api/v1/usage", query, headers=headers)
    again = Client().get("/api/v1/usage", query, headers=headers | {"if-none-match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    lines = Client().get("/api/v1/usage", query | {"format": "csv"}, headers=headers).content.decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["group", "team-a", "team-b"]


def test_what_comes_after_the_watermark_is_not_counted() -> None:
    _fill()
    later = (said.window().end + timedelta(hours=3)).isoformat().replace("+00:00", "Z")
    answer = _ask(to=later).json()
    assert (answer["gpu_seconds"], answer["unknown_seconds"]) == (3600.0, 0.0)


def test_who_may_not_read_telemetry_is_refused() -> None:
    _fill()
    narrow = world.token("costs-only", ["read:costs"])
    assert Client().get("/api/v1/usage", {"from": "0", "to": "300"}, headers=world.bearer(narrow)).status_code == 403
    assert Client().get("/api/v1/usage", {"from": "0", "to": "300"}).status_code == 401

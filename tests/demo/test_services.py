"""The simulated services fail as it is written, never all at once but when it is, and their counters add up."""

from collections import Counter
from itertools import combinations, pairwise

import pytest

from fleetledger.demo import counters
from fleetledger.demo.outages import (
    EXPORTER_SILENT,
    FULL_OUTAGE,
    SCRIPT,
    SWITCHOVER,
    ZONE_LOST,
    Fault,
    Trouble,
    Written,
    cycle_of,
)
from fleetledger.demo.server import DemoServer
from fleetledger.demo.service_metrics import signals
from fleetledger.demo.signals import Signal
from fleetledger.demo.targets import CHAT, EMBEDDINGS, ETCD, FEATURE_DB, RANKER, REGISTRY_DB, Target, troubles
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S
from fleetledger.demo.world import World
from tests.demo.test_server import ask, result

NOW = 1_795_395_600
START = NOW - 90 * DAY_S


def signal(name: str, **labels: str) -> Signal:
    return next(one for one in signals() if one.name == name and labels.items() <= dict(one.labels).items())


def values(of: Signal, start: int, end: int) -> list[str]:
    return [value for _, value in of.samples(range(start, end, GRID_S))]


def last(written: Written) -> Trouble:
    return list(written.within(START, NOW))[-1]


@pytest.mark.parametrize("written", SCRIPT, ids=lambda one: one.title)
def test_all_that_is_written_happens_in_each_four_weeks(written: Written) -> None:
    assert 3 <= len(list(written.within(START, NOW))) <= 4
    start, end = last(written).start, last(written).end
    assert cycle_of(start) == cycle_of(end - 1)
    assert (start % GRID_S, end % GRID_S) == (0, 0)


@pytest.mark.parametrize("job", [CHAT, EMBEDDINGS, RANKER, ETCD, FEATURE_DB], ids=lambda job: job[0].job)
def test_no_two_of_a_service_are_down_together_unless_it_is_written(job: tuple[Target, ...]) -> None:
    down = [(one, troubles(one, START, NOW)) for one in job]
    written = [trouble for one in (FULL_OUTAGE, ZONE_LOST) for trouble in one.within(START, NOW)]
    for (_, some), (_, others) in combinations(down, 2):
        together = [a for a in some for b in others if a.start < b.end and b.start < a.end]
        assert all(trouble in written for trouble in together)


def test_one_replica_is_down_every_day() -> None:
    fragile = CHAT[4]
    days = Counter((one.start - START) // DAY_S for one in troubles(fragile, START, NOW))
    assert set(days) >= set(range(90))
    assert all(before.end < after.start for before, after in pairwise(troubles(fragile, START, NOW)))


def test_the_full_outage_is_as_long_as_it_is_written() -> None:
    outage = last(FULL_OUTAGE)
    ready = values(signal("kube_deployment_status_replicas_available"), outage.start - 60, outage.end + 60)
    assert ready == ["6", "6", *["0"] * 33, "6", "6"]
    for target in CHAT:
        assert values(signal("up", pod=target.pod), outage.start, outage.end) == ["0"] * 33


def test_a_lost_zone_takes_what_stands_in_it_and_leaves_the_rest(world: World) -> None:
    at = last(ZONE_LOST).start + HOUR_S
    ups = {one.pod: values(signal("up", pod=one.pod), at, at + GRID_S) for one in (*CHAT, *EMBEDDINGS, *ETCD)}
    lost = {pod for pod, value in ups.items() if value == ["0"]}
    assert lost == {"llm-gateway-1", "llm-gateway-4", "embeddings-1", "etcd-1"}
    silent = {node.name for node in world.nodes() if node.cluster == "aws-use1" and world.is_silent(node, at)}
    assert silent >= {f"h100-use1-0{number}" for number in (2, 4, 6, 8)}


def test_what_nobody_scrapes_says_nothing_not_even_that_it_is_down() -> None:
    silence = last(EXPORTER_SILENT)
    names = [one.name for one in signals() if one.targets == REGISTRY_DB]
    assert {"up", "pg_up"} <= set(names)
    for name in names:
        of = signal(name, pod=REGISTRY_DB[0].pod)
        assert values(of, silence.start - GRID_S, silence.end) == values(of, silence.start - GRID_S, silence.start)
    assert values(signal("pg_up", pod=REGISTRY_DB[0].pod), silence.end, silence.end + GRID_S) == ["1"]


def test_the_second_database_leads_from_the_planned_work_on() -> None:
    begins = last(SWITCHOVER).start
    first, second = (signal("kube_lease_owner", lease_holder=one.pod) for one in FEATURE_DB)
    assert values(first, begins - 60, begins + 60) == ["1", "1"]
    assert values(second, begins - 60, begins + 60) == ["1", "1"]
    assert second.samples(range(begins, begins + 60, GRID_S)) == [(begins, "1"), (begins + GRID_S, "1")]


def test_nobody_asks_the_guardrail_at_night() -> None:
    midnight = NOW // DAY_S * DAY_S
    running = signal("vllm:num_requests_running", pod="guardrail-0")
    assert set(values(running, midnight, midnight + 5 * HOUR_S)) == {"0"}
    assert "0" not in values(running, midnight + 5 * HOUR_S, midnight + DAY_S)


def test_the_requests_of_the_full_outage_and_no_others_fail_together() -> None:
    outage = last(FULL_OUTAGE)
    before, after = counters.by_code(outage.start), counters.by_code(outage.end)
    asked = counters.requests(outage.start, outage.end)
    assert (after["503"] - before["503"], after["200"] - before["200"]) == (asked, 0)
    assert asked == 33 * counters.PER_SLOT[13]


@pytest.mark.parametrize("name", ["nginx_ingress_controller_requests", "vllm:e2e_request_latency_seconds_bucket"])
def test_counters_grow_but_where_their_process_was_started_anew(name: str) -> None:
    for one in [one for one in signals() if one.name == name][:6]:
        found = [int(value) for value in values(one, NOW - 3 * DAY_S, NOW)]
        resets = sum(after < before for before, after in pairwise(found))
        downs = sum(trouble.fault is Fault.DOWN for trouble in troubles(one.targets[0], NOW - 3 * DAY_S, NOW))
        assert resets == downs
        assert cycle_of(NOW) == cycle_of(NOW - 3 * DAY_S)


def test_each_of_the_embeddings_is_away_for_43_minutes_a_day() -> None:
    midnight = NOW // DAY_S * DAY_S
    for target in EMBEDDINGS:
        found = troubles(target, midnight - DAY_S, midnight)
        assert sum(one.end - one.start for one in found) == 43 * 60


def test_prometheus_answers_what_probes_ask(demo_server: DemoServer) -> None:
    up = result(ask(demo_server, "/aws-use1/api/v1/query", query='up{job="llm-gateway"}'))
    assert [row["metric"]["pod"] for row in up] == [f"llm-gateway-{number}" for number in range(6)]
    query = '(vllm:num_requests_running{pod="guardrail-0"})[3600s:30000ms]'
    (row,) = result(ask(demo_server, "/borealis-osl/api/v1/query", query=query))
    assert [at for at, _ in row["values"]] == list(range(NOW - HOUR_S, NOW + 1, GRID_S))


def test_a_subquery_is_bounded(demo_server: DemoServer) -> None:
    for query in ('(up{job="etcd"})[100d:1s]', '(sum(up{job="etcd"}))[5m:30s]', '(up{job="etcd"})[5m:0s]'):
        answer = ask(demo_server, "/api/v1/query", query=query)
        assert answer.json()["status"] == "error", query


def test_a_number_is_answered_as_one(demo_server: DemoServer) -> None:
    body = ask(demo_server, "/aws-use1/api/v1/query", query="1", time=str(NOW)).json()
    assert body["data"] == {"resultType": "scalar", "result": [NOW, "1"]}

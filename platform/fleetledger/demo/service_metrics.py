"""What the services' processes say in their metrics, under the names that the real ones use."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from fleetledger.demo import counters
from fleetledger.demo.dice import key, mix
from fleetledger.demo.outages import BACKUP_MISSED, CYCLE_S, ORIGIN, SWITCHOVER, ZONE_LOST, Fault
from fleetledger.demo.signals import Faults, Says, Signal, labelled, signal
from fleetledger.demo.targets import (
    BACKUPS,
    CHAT,
    EMBEDDINGS,
    ETCD,
    FEATURE_DB,
    GUARDRAIL,
    INGRESS,
    RANKER,
    REGISTRY_DB,
    TARGETS,
    Target,
    troubles,
)
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S

Value = Callable[[int], str]
ENOUGH_PODS = 3
BACKUP_DONE_S = HOUR_S + 50 * 60
RESTORE_TESTED_S = 4 * DAY_S + 10 * HOUR_S
_KSM = {"job": "kube-state-metrics", "instance": "10.40.255.7:8080", "pod": "", "zone": ""}


@lru_cache(maxsize=1)
def signals() -> tuple[Signal, ...]:
    return (*_ups(), *_models(), *_kubernetes(), *_ingress(), *_etcd(), *_databases(), *_backups())


def names() -> tuple[str, ...]:
    return tuple(sorted({one.name for one in signals()}))


def leader_number(at: int) -> int:
    """Which database leads: the second one from the planned work until three days later."""
    second = (at - ORIGIN) % CYCLE_S - SWITCHOVER.begins_s
    return int(0 <= second < 3 * DAY_S)


def _ups() -> Iterator[Signal]:
    """The exporter of a database goes on when the database does not."""
    for target in TARGETS:
        is_exporter = target in (*FEATURE_DB, *REGISTRY_DB)
        yield signal("up", target, _scraped if is_exporter else _up)


def _up(at: int, faults: Faults) -> str | None:
    del at
    return None if faults[0] is Fault.SILENT else "0" if faults[0] is Fault.DOWN else "1"


def _scraped(at: int, faults: Faults) -> str | None:
    del at
    return None if faults[0] is Fault.SILENT else "1"


def _alive(value: Value) -> Says:
    """What a process says of itself: nothing while it is down."""
    return lambda at, faults: None if faults[0] in (Fault.DOWN, Fault.SILENT) else value(at)


def _models() -> Iterator[Signal]:
    for target in (*CHAT, *EMBEDDINGS, *GUARDRAIL):
        yield signal("vllm:num_requests_running", target, _running(target))
        yield signal("vllm:num_requests_waiting", target, _alive(_wave(target, 0, 3)))
        yield signal("vllm:gpu_cache_usage_perc", target, _alive(_share(target)))
        yield signal("vllm:e2e_request_latency_seconds_count", target, _alive(_served(target, 1000)))
        for bound, permille in counters.LATENCIES:
            yield signal("vllm:e2e_request_latency_seconds_bucket", target, _alive(_served(target, permille)), le=bound)
    for target in RANKER:
        yield signal("nv_inference_request_success", target, _alive(_served(target, 999)), model="ranker-xl")
        yield signal("nv_inference_request_failure", target, _alive(_served(target, 1)), model="ranker-xl")
        yield signal("nv_inference_pending_request_count", target, _alive(_wave(target, 0, 5)), model="ranker-xl")


def _running(target: Target) -> Says:
    """Never none while anybody asks: who does so does it all the time."""
    busy = _alive(_wave(target, 2, 24))
    return lambda at, faults: "0" if faults[0] is Fault.IDLE else busy(at, faults)


def _wave(target: Target, low: int, high: int) -> Value:
    seed = key(target.pod)
    return lambda at: str(low + mix(seed, at // GRID_S) % (high - low + 1))


def _share(target: Target) -> Value:
    seed = key(target.pod)
    return lambda at: f"0.{40 + mix(seed, 7, at // GRID_S) % 45}"


def _served(target: Target, permille: int) -> Value:
    """A counter since its process was started."""

    def value(at: int) -> str:
        begins = counters.cycle_start(at)
        ends = [one.end for one in troubles(target, begins, at + 1) if one.fault is Fault.DOWN and one.end <= at]
        return str(counters.requests(max([begins, *ends]), at) * permille // 1000)

    return value


def _kubernetes() -> Iterator[Signal]:
    """kube-state-metrics counts the chat service's pods itself, and names who leads the databases."""
    deployment, budget = {"deployment": "llm-gateway"}, {"poddisruptionbudget": "llm-gateway"}
    found: Mapping[str, tuple[dict[str, str], Callable[[int], int]]] = {
        "kube_deployment_spec_replicas": (deployment, lambda _: len(CHAT)),
        "kube_deployment_status_replicas_available": (deployment, lambda ready: ready),
        "kube_poddisruptionbudget_status_current_healthy": (budget, lambda ready: ready),
        "kube_poddisruptionbudget_status_desired_healthy": (budget, lambda _: ENOUGH_PODS),
        "kube_poddisruptionbudget_status_pod_disruptions_allowed": (budget, lambda ready: max(0, ready - ENOUGH_PODS)),
    }
    for name, (labels, count) in found.items():
        yield Signal(CHAT[0].cluster, labelled(name, CHAT[0].labels | _KSM | labels), CHAT, _counted(count))
    for holder in FEATURE_DB:
        lease = labelled("kube_lease_owner", holder.labels | _KSM | {"lease": "feature-db", "lease_holder": holder.pod})
        yield Signal(holder.cluster, lease, (), _held_by(holder))


def _counted(count: Callable[[int], int]) -> Says:
    return lambda _, faults: str(count(sum(fault is not Fault.DOWN for fault in faults)))


def _held_by(holder: Target) -> Says:
    return lambda at, _: "1" if leader_number(at) == holder.number else None


def _ingress() -> Iterator[Signal]:
    """Requests to the chat service by code; those that no replica can take end as 503."""
    for code in counters.CODES:
        yield signal(
            "nginx_ingress_controller_requests", INGRESS[0], _alive(_of_code(code)), service="llm-gateway", status=code
        )


def _of_code(code: str) -> Value:
    return lambda at: str(counters.by_code(at)[code])


def _etcd() -> Iterator[Signal]:
    """Another leader is chosen when the zone is lost, and when it is back."""
    for target in ETCD:
        yield signal("etcd_server_has_leader", target, _alive(lambda _: "1"))
        yield signal("etcd_server_leader_changes_seen_total", target, _alive(_leader_changes))


def _leader_changes(at: int) -> str:
    second = (at - ORIGIN) % CYCLE_S - ZONE_LOST.begins_s
    return str(1 + (second >= 0) + (second >= ZONE_LOST.lasts_s))


def _databases() -> Iterator[Signal]:
    for target in (*FEATURE_DB, *REGISTRY_DB):
        yield signal("pg_up", target, _up)
        yield signal("pg_stat_database_numbackends", target, _alive(_wave(target, 20, 90)))
    for target in FEATURE_DB:
        yield signal("pg_replication_lag_seconds", target, _lag(target))


def _lag(target: Target) -> Says:
    """Of a standby: below three seconds, but for the time that it is behind."""

    def says(at: int, faults: Faults) -> str | None:
        if faults[0] in (Fault.DOWN, Fault.SILENT):
            return None
        if faults[0] is Fault.LATE:
            return "640"
        is_leader = leader_number(at) == target.number
        return "0" if is_leader else f"{(1 + mix(key(target.pod), at) % 28) / 10:g}"

    return says


def _backups() -> Iterator[Signal]:
    for target in BACKUPS:
        yield signal(
            "pgbackrest_backup_since_last_completion_seconds", target, _alive(_backup_age(target)), type="full"
        )
        yield signal("restore_test_age_seconds", target, _alive(_restore_age(target)))
        yield signal("restore_test_age_days", target, _alive(_restore_days(target)))


def _backup_age(target: Target) -> Value:
    """One is done each night, but for the one that fails."""

    def value(at: int) -> str:
        day, age = divmod(at - ORIGIN - BACKUP_DONE_S, DAY_S)
        was_missed = day % (CYCLE_S // DAY_S) == BACKUP_MISSED.begins_s // DAY_S
        return str(age + DAY_S * (was_missed and target is BACKUPS[0]))

    return value


def _restore_age(target: Target) -> Value:
    """Tried out once in a cycle; the other one only when it was new."""
    return lambda at: str((at - ORIGIN - RESTORE_TESTED_S) % CYCLE_S if target is BACKUPS[0] else at - ORIGIN)


def _restore_days(target: Target) -> Value:
    age = _restore_age(target)
    return lambda at: str(int(age(at)) // DAY_S)

"""Asks a Prometheus that fell silent towards us, where it is one of our sources, which alerts it still has."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from django.db import transaction

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.buckets import to_us
from monitoring.alerts import clock, states
from monitoring.alerts.labels import ALERT_NAME
from monitoring.alerts.models import Alert, EndedBy, Report
from monitoring.telemetry.opening import open_api
from monitoring.telemetry.sources.errors import SourceError

EVERY_S = 30.0
READ_SECONDS = 10.0
NAMES_AT_ONCE = 100
_NOT_LABELS = frozenset({"__name__", "alertstate"})
_asking = threading.Lock()
_asked_at: dict[int, float] = {}
_absent_before: set[int] = set()
log = structlog.get_logger(__name__)


def ask_prometheus(now: datetime) -> int:
    """Resolve unknown alerts that their Prometheus no longer has; gives how many. Each source at most every 30 s.

    A server that does not answer, or answers in part, changes nothing; one that has just started has not evaluated
    its rules yet: an alert must be absent from two answers in a row.
    """
    if not _asking.acquire(blocking=False):
        return 0
    try:
        return sum(_ask(source, reports, now) for source, reports in _silent() if _is_due(source))
    finally:
        _asking.release()


def _silent() -> list[tuple[Source, list[Report]]]:
    """The sources whose senders have unknown alerts, with these."""
    stale = Report.objects.filter(is_stale=True, is_resolved=False).select_related("alert", "sender")
    by_origin: dict[str, list[Report]] = defaultdict(list)
    for report in stale:
        by_origin[report.sender.key.rpartition(" ")[2]].append(report)
    if not by_origin:
        return []
    sources = Source.objects.filter(kind=SourceKind.PROMETHEUS, enabled=True)
    return [(source, by_origin[origin]) for source in sources if (origin := _origin(source)) in by_origin]


def _origin(source: Source) -> str:
    parts = urlsplit(str(source.config.get("url", "")))
    return f"{parts.scheme}://{parts.netloc}"


def _is_due(source: Source) -> bool:
    if time.monotonic() - _asked_at.get(source.pk, float("-inf")) < EVERY_S:
        return False
    _asked_at[source.pk] = time.monotonic()
    return True


def _ask(source: Source, reports: Sequence[Report], now: datetime) -> int:
    names = sorted({report.alert.labels.get(ALERT_NAME, "") for report in reports} - {""})
    gone: list[Report] = []
    try:
        api = open_api(source, read_seconds=READ_SECONDS, tries=1)
        try:
            for start in range(0, len(names), NAMES_AT_ONCE):
                wanted = names[start : start + NAMES_AT_ONCE]
                answer = api.query(_expression(wanted), to_us(now))
                if answer.partial:
                    return 0
                firing = [row["metric"] for row in answer.rows]
                gone += [
                    report
                    for report in reports
                    if report.alert.labels.get(ALERT_NAME) in wanted and not _is_among(report.alert.labels, firing)
                ]
        finally:
            api.close()
    except SourceError as error:
        log.info("alerts.prometheus_not_asked", source=source.name, error=str(error))
        return 0
    absent = {report.pk for report in gone}
    twice = [report for report in gone if report.pk in _absent_before]
    _absent_before.difference_update(report.pk for report in reports)
    _absent_before.update(absent)
    return _resolve(twice)


def _expression(names: Iterable[str]) -> str:
    """Each name on its own: no expression has to be escaped into another."""
    quoted = (name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for name in names)
    return " or ".join(f'ALERTS{{alertstate="firing",alertname="{name}"}}' for name in quoted)


def _is_among(labels: Mapping[str, str], firing: Iterable[Mapping[str, str]]) -> bool:
    """Whether one of the series is this alert: equal in every label that both have.

    Labels of one side alone are left out: external labels are added on the way, relabelling takes others away.
    """
    return any(
        all(labels.get(name, value) == value for name, value in series.items() if name not in _NOT_LABELS)
        for series in firing
    )


@transaction.atomic
def _resolve(gone: Sequence[Report]) -> int:
    if not gone:
        return 0
    found = Alert.objects.select_for_update(no_key=True).filter(pk__in={report.alert_id for report in gone})
    alerts = list(found.order_by("fingerprint"))
    still = Report.objects.filter(pk__in=[report.pk for report in gone], is_stale=True, is_resolved=False)
    ended = still.update(is_resolved=True, is_stale=False)
    states.settle(alerts, clock.now(), ended_by=EndedBy.PROMETHEUS)
    clock.ring()
    return ended

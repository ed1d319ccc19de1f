"""The notifier sees to what is due by itself: on the doorbell, on time, without Redis, through a database's restart."""

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.db.models import F
from django.test import override_settings

from fleetledger.embedded import python
from monitoring.alerts import canary, clock, deadman, drain, notifier, vitals
from monitoring.alerts.acts import Actor, acknowledge
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.drain import Lanes
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.models import Attempt, Destination, Episode, Group, IntakeSpan, MessageKind, OutboxMessage, Rule
from monitoring.alerts.route_test import tests_route as send_test
from tests import world as fleet
from tests.alerts import world
from tests.alerts.delivery_world import destination, hook, line, queue, states
from tests.alerts.receiver import HANG, Reply, receiving
from tests.embedded.running import wait_until

alive = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
QUIET = notifier.Steps(evaluate=None, ping=None, beside={})


def with_alive(test: Any) -> Any:
    """A test with threads or processes of its own needs rows that are committed."""
    for mark in alive:
        test = mark(test)
    return test


@contextmanager
def notifying(steps: notifier.Steps | None = None) -> Iterator[None]:
    """A notifier in this process."""
    ending = threading.Event()
    chosen = steps or notifier.Steps(evaluate=None, ping=None, beside={}, lanes=Lanes())
    thread = threading.Thread(target=notifier.run, args=(ending, chosen), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(10)
        assert not thread.is_alive()


@with_alive
def test_a_message_is_sent_when_the_doorbell_rings() -> None:
    with receiving() as server:
        world.tree(receivers=[hook(server.url)])
        with notifying():
            queue()
            wait_until(lambda: len(server.told) == 1, 10)
            took = []
            for number in range(2, 7):
                began = time.time()
                queue()
                wait_until(lambda number=number: len(server.told) == number, 10)  # type: ignore[misc]
                took.append(server.told[-1].at - began)
    assert min(took) < 0.5


@with_alive
def test_groups_are_looked_at_on_their_tick() -> None:
    route = {**world.QUICK, "group_wait": "1s"}
    with receiving() as server:
        world.tree(route=route, receivers=[hook(server.url)])
        with notifying():
            for number in range(5):
                world.post(f"Hot{number}")
                wait_until(lambda number=number: len(server.told) > number, 20)  # type: ignore[misc]
    waited = [
        row.created_at - world.alert(row.body["alerts"][0]["labels"]["alertname"]).episodes.get().opened_at
        for row in OutboxMessage.objects.order_by("pk")
    ]
    lateness = [(found - timedelta(seconds=1)).total_seconds() for found in waited]
    assert min(lateness) >= 0
    assert statistics.median(lateness) <= 0.1


@with_alive
def test_a_database_that_drops_everybody_is_waited_for() -> None:
    with receiving() as server:
        world.tree(receivers=[hook(server.url)])
        with notifying():
            queue()
            wait_until(lambda: len(server.told) == 1 and vitals.notifier_seen_at() is not None, 10)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                assert cursor.fetchone()[0] >= 3
            queue()
            wait_until(lambda: len(server.told) == 2, 15)
            wait_until(lambda: states() == ["sent", "sent"], 15)


@with_alive
def test_a_step_that_breaks_stops_no_other() -> None:
    seen: list[datetime] = []

    def breaks(_now: datetime) -> None:
        raise ValueError("a mistake")

    steps = notifier.Steps(each_turn=(breaks, seen.append), evaluate=breaks, ping=None, beside={}, lanes=Lanes())
    with receiving() as server:
        world.tree(receivers=[hook(server.url)])
        with notifying(steps):
            queue()
            wait_until(lambda: len(server.told) == 1 and len(seen) > 1, 10)


@with_alive
def test_the_command_works_without_redis_and_ends_on_term_within_three_seconds_although_a_receiver_hangs() -> None:
    with receiving() as server, receiving(Reply(HANG)) as hanging:
        world.tree(receivers=[hook(server.url), hook(hanging.url, "hanging")])
        queue()
        queue(destination("hanging"))
        with command() as process:
            wait_until(lambda: bool(server.told and hanging.told), 60)
            wait_until(lambda: OutboxMessage.objects.filter(state="sent").count() == 1, 10)
            assert vitals.notifier_seen_at() is not None
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert process.wait(10) == 0
            assert time.monotonic() - began < 8


@with_alive
def test_a_receiver_that_hangs_delays_nobody_else() -> None:
    others = 4
    with receiving(Reply(HANG)) as hanging, receiving() as server:
        names = [f"r{number}" for number in range(others)]
        world.tree(
            route={**world.QUICK, "receiver": "hanging"},
            receivers=[hook(hanging.url, "hanging"), *(hook(f"{server.url}/{name}", name) for name in names)],
        )
        with notifying():
            queued_at: dict[str, float] = {}
            for _ in range(15):
                queue(destination("hanging"))
                for name in names:
                    row = queue(destination(name))
                    queued_at[str(row.key)] = time.time()
            wait_until(lambda: len(server.told) == 15 * others, 30)
        delays = sorted(told.at - queued_at[told.key] for told in server.told)
    assert delays[int(len(delays) * 0.95)] < 3
    assert len(hanging.told) <= drain.PER_DESTINATION + 1


@with_alive
def test_no_attempt_begins_after_an_acknowledgement_and_one_begun_is_named() -> None:
    route = {**world.QUICK, "group_by": ["alertname", "gpu"], "group_wait": "0s"}
    with receiving(Reply(200, feed_s=0.001)) as server:
        world.tree(route=route, receivers=[hook(server.url)])
        for number in range(30):
            world.post(gpu=str(number))
        with notifying():
            for episode in Episode.objects.order_by("?"):
                acknowledged = acknowledge([episode.alert_id], Actor("mira"))
                begun = episode.attempts.filter(sending_at__lte=acknowledged.at)
                under_way = begun.exclude(finished_at__lte=acknowledged.at).exists()
                assert bool(acknowledged.on_their_way) >= under_way
            wait_until(lambda: not Group.objects.filter(has_ticked=False, tick_at__isnull=False).exists(), 30)
            wait_until(lambda: "queued" not in states(), 30)
    after = Attempt.objects.filter(sending_at__gt=F("episodes__acknowledged_at"))
    assert not after.exists()
    assert set(states()) <= {"sent", "withheld"}


@pytest.mark.django_db
def test_those_that_failed_lately_hold_one_place_each_and_half_of_all() -> None:
    world.set_clock()
    release = threading.Event()
    names = [f"r{number}" for number in range(drain.SICK_IN_ALL + 4)]
    world.tree(
        route={**world.QUICK, "receiver": "well"},
        receivers=[hook("http://127.0.0.1:9/x", name) for name in ["well", *names]],
    )
    for name in names:
        for _ in range(3):
            queue(destination(name))
    for _ in range(6):
        queue(destination("well"))
    Destination.objects.exclude(receiver="well").update(failures=drain.SICK_AT)

    def held(_claim: Any) -> Outcome:
        release.wait(30)
        return Outcome(Verdict.DELIVERED)

    lanes = Lanes(send=held)
    assert lanes.turn() == drain.SICK_IN_ALL + drain.PER_DESTINATION
    assert lanes._in_flight[destination("well").pk] == drain.PER_DESTINATION
    release.set()
    lanes.finish(10)
    assert lanes.in_flight == 0


@pytest.mark.django_db
def test_a_canary_is_sent_where_one_is_wished_and_raises_no_page() -> None:
    world.set_clock()
    with receiving() as server:
        entries = [{"url": server.url, "canary": "24h"}, {"url": server.url}]
        world.tree(receivers=[{"name": "default", "webhook": entries}])
        assert canary.queue_due(clock.now()) == 1
        assert canary.queue_due(world.advance(86_399)) == 0
        assert canary.queue_due(world.advance(1)) == 1
        drain.drain_due()
    assert states() == ["sent", "sent"]
    assert server.told[0].document["status"] == "resolved"
    assert server.told[0].document["alerts"][0]["labels"] == {"alertname": "FleetledgerCanary", "severity": "none"}


@pytest.mark.django_db
def test_a_canary_that_is_refused_is_told_to_the_fallback() -> None:
    world.set_clock()
    with receiving(Reply(404)) as gone, receiving() as other:
        receivers = [
            {"name": "default", "webhook": [{"url": gone.url, "canary": "1h"}], "fallback": "other"},
            hook(other.url, "other"),
        ]
        world.tree(receivers=receivers)
        canary.queue_due(clock.now())
        drain.drain_due()
    assert "could not be told by webhook" in other.told[0].document["note"]


@pytest.mark.django_db
def test_a_test_goes_the_way_of_its_labels_and_its_attempts_are_the_receipts() -> None:
    world.set_clock()
    team = fleet.team("vision")
    with receiving() as server, receiving(Reply(404)) as gone:
        route = {"receiver": "default", "routes": [{"receiver": "pager", "matchers": ['severity="critical"']}]}
        pager = {"name": "pager", "webhook": [{"url": gone.url}, {"url": server.url}], "fallback": "default"}
        world.tree(team, route=route, receivers=[hook(server.url), pager])
        rows = send_test(world.tenant(team), {"severity": "critical"}, Actor("mira"))
        drain.drain_due()
    assert [(row.kind, row.destination.receiver, row.team_id) for row in rows] == [("test", "pager", team.pk)] * 2
    receipts = Attempt.objects.order_by("message_id").values_list("is_delivered", "status")
    assert list(receipts) == [(False, 404), (True, 200)]
    assert OutboxMessage.objects.filter(kind=MessageKind.FALLBACK).count() == 0
    assert server.told[0].document["note"] == "A test by mira."
    assert server.told[0].document["commonLabels"] == {"alertname": "FleetledgerTest", "severity": "critical"}


@pytest.mark.django_db
def test_a_test_that_goes_nowhere_says_so() -> None:
    world.set_clock()
    world.tree(receivers=[{"name": "default"}])
    with pytest.raises(AlertsError, match="These labels go to 'default', which tells nobody"):
        send_test(world.tenant(), {"severity": "critical"}, Actor("mira"))
    with pytest.raises(AlertsError, match="'a-b' names no label"):
        send_test(world.tenant(), {"a-b": "x"}, Actor("mira"))


def well() -> None:
    """Everything works: a web process takes alerts in, and no rule is late."""
    now = clock.now()
    IntakeSpan.objects.create(instance="web", from_at=now - timedelta(hours=1), until_at=now)
    Rule.objects.all().delete()


def late_rule() -> None:
    Rule.objects.create(name="late", kind="fact", fact="x", due_at=clock.now() - timedelta(minutes=10))


def no_intake() -> None:
    IntakeSpan.objects.all().delete()


def nobody_told() -> None:
    row = queue(destination())
    OutboxMessage.objects.filter(pk=row.pk).update(
        state="dead", finished_at=clock.now() - timedelta(minutes=3), due_at=clock.now()
    )


def nobody_sends() -> None:
    queue(destination())
    OutboxMessage.objects.update(due_at=clock.now() - timedelta(minutes=3))


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", [late_rule, no_intake, nobody_told, nobody_sends])
def test_the_dead_mans_switch_is_called_only_while_all_is_healthy(trouble: Callable[[], None]) -> None:
    world.set_clock()
    with receiving() as outside, override_settings(DEADMAN_URL=outside.url):
        world.tree(receivers=[hook("http://127.0.0.1:9/x")])
        well()
        assert deadman.ping(clock.now()) is True
        trouble()
        assert deadman.ping(clock.now()) is False
        assert len(outside.told) == 1
    assert sum(not vital.is_healthy for vital in vitals.all_of(clock.now())) == 1


@pytest.mark.django_db
def test_a_message_that_reached_the_fallback_counts_as_delivered() -> None:
    world.set_clock()
    with receiving(Reply(404)) as gone, receiving() as other:
        world.tree(receivers=[hook(gone.url, fallback="other"), hook(other.url, "other")])
        well()
        queue(lines=[line()])
        drain.drain_due()
        now = world.advance(200)
        IntakeSpan.objects.update(until_at=now)
    assert [vital.reason for vital in vitals.all_of(now)] == ["", "", "", ""]


@contextmanager
def command() -> Iterator[subprocess.Popen[bytes]]:
    """The real command on the tests' database, with no Redis to be found."""
    known = connection.settings_dict
    who = f"{known['USER']}:{quote(known['PASSWORD'], safe='')}"
    host = known["OPTIONS"].get("host") or known["HOST"]
    url = f"postgresql://{who}@/{known['NAME']}?host={quote(host, safe='')}"
    if known["PORT"]:
        url = f"postgresql://{who}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    settings = {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:9/0", "SECRET_KEY": "x" * 50}
    process = subprocess.Popen(
        python.command("notifier"),
        env=python.environment({**settings, "DJANGO_SETTINGS_MODULE": "fleetledger.settings"}),
        cwd=os.sep,
        stdin=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()

"""The demo fills an empty installation once: a past that adds up, bills that fit it, and people who can sign in."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from costs import reads as cost_reads
from costs.models import BillRow
from fleetledger.demo import bills, contacts, logins, seed
from fleetledger.demo.server import DemoServer
from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.fleet.models import Gpu, Job, JobState, MigSlice, Node, Source, Team, User
from fleetledger.lib.buckets import HOUR, Month, Window
from monitoring.alerts.escalation.ways import ways_to
from monitoring.alerts.models import Destination, Schedule
from monitoring.alerts.oncall.now import on_call
from monitoring.telemetry import reads
from monitoring.telemetry.ingest import ingest
from monitoring.telemetry.models import GpuHour

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
HANDOVER = NOW - seed.LIVE
EVERYTHING = TeamScope.everything()


def silent(sentence: str) -> None:
    """Nobody listens."""


def seeded(days: int = 1, port: int = seed.DEFAULT_PORT) -> None:
    seed.configure(port, NOW)
    seed.fill_history(NOW, days, silent)


def test_the_past_is_there_adds_up_and_is_written_once() -> None:
    seeded()
    window = Window(datetime(2026, 11, 21, tzinfo=UTC), HANDOVER)
    usage = reads.usage(window, teams=EVERYTHING)
    allocated = sum(row.allocated_us for row in usage.rows)
    assert (usage.gpus, usage.gpu_us) == (200, 200 * window.duration_us)
    assert allocated + (usage.unallocated_us or 0) + (usage.unknown_us or 0) == usage.gpu_us
    assert {row.group for row in usage.rows} >= {"vision", "speech", "robotics", "ranking", "platform-ml"}
    assert (Gpu.objects.count(), Node.objects.count(), MigSlice.objects.count()) == (200, 27, 68)
    rows = GpuHour.objects.count()
    seeded()
    assert GpuHour.objects.count() == rows
    assert reads.usage(window, teams=EVERYTHING) == usage
    assert Job.objects.get(kind=seed.JOB_KIND).state == JobState.DONE


def test_a_demo_that_was_stopped_half_way_begins_again() -> None:
    Job.objects.create(kind=seed.JOB_KIND, state=JobState.RUNNING)
    seeded()
    states = Job.objects.filter(kind=seed.JOB_KIND).order_by("created_at").values_list("state", flat=True)
    assert list(states) == [JobState.FAILED, JobState.DONE]


def test_sources_wait_for_their_past_and_then_go_on_from_it(demo_server: DemoServer) -> None:
    seed.configure(demo_server.server_port, NOW)
    assert not Source.objects.filter(kind="prometheus", enabled=True).exists()
    seed.fill_history(NOW, 1, silent)
    source = Source.objects.get(name="prom-osl")
    assert (source.enabled, source.watermark_at) == (True, HANDOVER)
    outcome = ingest(source, Window(HANDOVER, HANDOVER + HOUR))[0]
    assert (outcome.gpus, outcome.notes) == (56, ())
    usage = reads.usage(Window(HANDOVER - HOUR, HANDOVER + HOUR), group_by=reads.GroupBy.CLUSTER, teams=EVERYTHING)
    held = {row.group: row.allocated_us for row in usage.rows}
    assert held["borealis-osl"] > 56 * 3600 * 1_000_000


def test_a_demo_that_slept_for_days_fills_the_gap() -> None:
    seeded()
    later = NOW + timedelta(days=1)
    Source.objects.filter(kind="prometheus").update(watermark_at=NOW)
    seed.configure(seed.DEFAULT_PORT, later)
    assert not Source.objects.filter(kind="prometheus", enabled=True).exists()
    seed.fill_history(later, 1, silent)
    assert GpuHour.objects.filter(bucket=later - seed.LIVE - HOUR).exists()
    assert set(Source.objects.filter(kind="prometheus").values_list("watermark_at", flat=True)) == {later - seed.LIVE}


def test_bills_are_imported_once_and_statements_sum_to_them() -> None:
    seeded()
    for _ in range(2):
        seed.import_bills(NOW, 1, silent)
    month = Month(2026, 11)
    texts = [bills.bill(provider, month, date(2026, 11, 21), date(2026, 11, 22)) for provider in bills.PROVIDERS]
    assert BillRow.objects.count() == sum(len(text.splitlines()) - 1 for text in texts if text)
    found = cost_reads.statements(month, teams=EVERYTHING)
    billed = sum((bills.effective_total(text) for text in texts if text), Decimal(0))
    assert abs(sum((row.amount for row in found), Decimal(0)) - billed) < Decimal("0.02")
    assert sum((row.exact for row in found), Decimal(0)) == billed


def test_every_machine_of_a_bill_is_a_node_with_that_provider_id() -> None:
    seeded()
    known = {provider_id.rsplit("/", 1)[1] for provider_id in Node.objects.values_list("provider_id", flat=True)}
    for provider in bills.PROVIDERS:
        text = bills.bill(provider, Month(2026, 10), date(2026, 10, 1), date(2026, 10, 3))
        assert text is not None
        assert bills.machines(text) <= known


def test_people_can_sign_in_with_what_is_printed() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    first, again = list(logins.make()), list(logins.make())
    assert first == again
    request = RequestFactory().post("/sign-in/")
    for login in first:
        assert authenticate(request, username=login.username, password=login.password) is not None
    mira = User.objects.get(username="mira")
    assert teams_visible_to(mira).team_ids == {Team.objects.get(slug="vision").pk}
    assert not teams_visible_to(mira).fleet


def test_more_days_than_the_fleet_remembers_are_refused() -> None:
    with pytest.raises(CommandError, match="--days is 1 to 110"):
        call_command("demo-seed", "--days", "111")


def test_somebody_is_on_call_and_can_be_reached_and_the_second_time_changes_nothing() -> None:
    for _ in range(2):
        seed.configure(seed.DEFAULT_PORT, NOW)
        contacts.make(seed.DEFAULT_PORT, NOW)
    primary = on_call(Schedule.objects.get(name="primary"), NOW)
    assert [person.username for person in primary.people] == ["tomas"]  # the 46th week of three people
    assert on_call(Schedule.objects.get(name="second"), NOW).people == ()  # a Sunday: its fallback is asked
    tomas = User.objects.get(username="tomas")
    ways = [(way.label, way.after_s) for way in ways_to(tomas, "warning", NOW).methods]
    assert ways == [("Demo webhook", 0), ("Demo webhook", 300)]
    assert Destination.objects.filter(contact__isnull=False).count() == len(contacts.ON_CALL)

"""Facts are written once, replaced whole, rolled up to the same sums, and follow their owners."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Gpu, Source
from fleetledger.lib.buckets import DAY, HOUR, Window, floor
from monitoring.telemetry import reads, tasks, upkeep
from monitoring.telemetry.errors import IncompleteError, WindowError
from monitoring.telemetry.history import HourRow, write_hours
from monitoring.telemetry.ingest import ingest
from monitoring.telemetry.models import IdentityCheck, SourceNote, XidEvent
from monitoring.telemetry.pulling import catch_up, reread
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.readings import Batch, Device, Field, Series, UnitKey
from tests import world
from tests.telemetry import world as said
from tests.telemetry.samples import ALICE, BOB, SECOND_US, UUID, at, every, series

pytestmark = pytest.mark.django_db

S = SECOND_US
HOUR_US = 3600 * S
EVERYTHING = TeamScope.everything()
TABLES = ("telemetry_fact", "telemetry_gpuhour", "telemetry_gpuday", "telemetry_teamhour", "telemetry_teamday")


def _teams() -> None:
    for name in ("team-a", "team-b"):
        world.rule(world.team(name), {"namespace": name})


def _counter(times: list[float], watts: int = 300) -> Series:
    return series(times, [(10_000 + time) * watts * 1000 for time in times], field=Field.ENERGY)


def test_reading_a_window_again_changes_nothing() -> None:
    _teams()
    prom = said.source()
    rows = [series(every(30, -300, 3900), 0.5), _counter(every(30, -300, 3900))]
    said.read(prom, rows)
    first = {table: said.total(table) for table in TABLES}
    facts = said.stored()
    said.read(prom, rows)
    said.read(prom, rows, said.window(5, after=25))
    assert said.stored() == facts
    assert {table: said.total(table) for table in TABLES} == first
    assert set(first.values()) == {(HOUR_US, 0, 0, HOUR_US // 2, 3600 * 300 * S)}


def test_a_holder_that_is_gone_after_a_reread_disappears() -> None:
    _teams()
    prom = said.source()
    said.read(prom, [series(every(30, -300, 3900), 0.5)])
    said.read(prom, [series(every(30, -300, 3900), 0.5, holder=BOB)])
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert [(row.group, row.allocated_us) for row in usage.rows] == [("team-b", HOUR_US)]


def test_a_reread_of_what_the_source_no_longer_keeps_forgets_nothing() -> None:
    _teams()
    prom = said.source()
    said.read(prom, [series(every(30, 0, 3900), 0.5), _counter(every(30, 0, 3900))])
    before = {table: said.stored(table) for table in ("telemetry_fact", "telemetry_gpuhour", "telemetry_gpuday")}
    said.read(prom, [series(every(30, 3660, 3900), 0.5), _counter(every(30, 3660, 3900))])
    assert {table: said.stored(table) for table in before} == before


def test_late_samples_take_the_place_of_what_was_unknown() -> None:
    _teams()
    prom = said.source()
    said.read(prom, [series(every(30, -300, 3000), 0.5)])
    before = reads.usage(said.window(), teams=EVERYTHING)
    said.read(prom, [series(every(30, -300, 3900), 0.5)])
    after = reads.usage(said.window(), teams=EVERYTHING)
    assert (before.rows[0].allocated_us, before.unknown_us) == (3030 * S, 570 * S)
    assert (after.rows[0].allocated_us, after.unknown_us, len(after.rows)) == (HOUR_US, 0, 1)


def test_a_gpu_exists_from_its_first_sample_and_is_unknown_when_it_falls_silent() -> None:
    _teams()
    prom = said.source()
    said.read(prom, [series(every(30, 600, 1200), 0.5)])
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert (usage.gpus, usage.gpu_us, usage.rows[0].allocated_us, usage.unknown_us) == (
        1,
        3000 * S,
        630 * S,
        2370 * S,
    )


def test_energy_over_a_long_gap_is_settled_when_the_next_sample_comes_and_only_once() -> None:
    _teams()
    prom = said.source()
    times = [*every(30, -300, 600), *every(30, 2400, 3900)]
    rows = [series(times, 0.5), _counter(times)]
    for start in range(0, 60, 5):  # as the workers do it: bucket by bucket, with nothing known of the future
        seen = [_until(row, start + 5) for row in rows]
        said.read(prom, [row for row in seen if row.times], said.window(5, after=start))
    said.read(prom, rows, said.window(5, after=55))
    held, free, unknown, _busy, energy = said.total("telemetry_fact")
    assert (held, free, unknown) == (HOUR_US - 1770 * S, 0, 1770 * S)
    assert energy == pytest.approx(3600 * 300 * S, abs=30 * 300 * S)
    assert said.total("telemetry_gpuhour")[4] == energy


def test_windows_that_are_not_aligned_are_refused_with_the_nearest() -> None:
    prom = said.source()
    with pytest.raises(WindowError, match="aligned to five minutes"):
        ingest(prom, Window(said.START + timedelta(seconds=7), said.START + HOUR), reader=said.SaidReader([]))


def test_a_source_that_does_not_answer_writes_no_facts_and_moves_no_watermark() -> None:
    prom = said.source()
    with pytest.raises(SourceError, match="cannot be reached"):
        ingest(prom, said.window(), reader=said.SaidReader([], error="http://x cannot be reached."))
    assert said.stored() == []
    prom.refresh_from_db()
    assert prom.watermark_at is None


def test_what_a_source_misses_stays_missing() -> None:
    _teams()
    prom = said.source()
    reader = said.SaidReader([series(every(30, -300, 3900), 0.5)], missing=["a shard: timed out"])
    with pytest.raises(IncompleteError, match="timed out"):
        ingest(prom, said.window(), reader=reader)
    assert said.stored() == []
    prom.refresh_from_db()
    assert prom.watermark_at is None


def test_a_dead_source_is_shown_as_failing_by_the_task() -> None:
    prom = said.source()
    sentence = catch_up(prom.name, said.START + HOUR)
    prom.refresh_from_db()
    assert "cannot be reached" in sentence
    assert "cannot be reached" in prom.last_error
    assert prom.watermark_at is None


def test_a_database_that_goes_away_makes_the_task_run_again() -> None:
    for task in (tasks.pull_source, tasks.reread_recent, tasks.reread_yesterday, tasks.rebuild_owners):
        assert OperationalError in task.autoretry_for


def test_rules_that_change_move_the_time_of_the_days_they_hold_for() -> None:
    prom = said.source()
    owner, other = world.team("team-a"), world.team("other")
    rule = world.rule(owner, {"namespace": "team-a"})
    said.read(prom, [series(every(30, -300, 3900), 0.5)])
    rule.team = other
    rule.save()
    tasks.rebuild_owners(None)
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert [(row.group, row.allocated_us) for row in usage.rows] == [("other", HOUR_US)]
    assert {table: said.total(table)[0] for table in TABLES} == dict.fromkeys(TABLES, HOUR_US)


def test_time_that_no_rule_owns_is_shown_as_unowned() -> None:
    said.read(said.source(), [series(every(30, -300, 3900), 0.5)])
    usage = reads.usage(said.window(), teams=EVERYTHING)
    assert [(row.group, row.allocated_us) for row in usage.rows] == [("(unowned)", HOUR_US)]
    assert usage.unallocated_us == 0


def test_a_day_that_adds_up_is_kept_as_such() -> None:
    said.read(said.source(), [series(every(30, 0, 3900), 0.5)])
    upkeep.check_identity(floor(said.START, DAY) + DAY + HOUR)
    checks = {check.day: check.gpus_off for check in IdentityCheck.objects.all()}
    assert checks[said.START.date()] == 0


def test_hours_of_history_go_in_once_and_are_rolled_up() -> None:
    _teams()
    prom = said.source()
    unit = UnitKey(UUID, None)
    day = floor(said.START, DAY)
    first = Series(unit, "", Field.UTIL, "", None, [at(-86_400)], [0.0])
    names = Batch([first], {UUID: Device(UUID, said.MODEL, "node-a", "0")})
    hours = [
        (
            day + hour * HOUR,
            [HourRow(UUID, None, ALICE, allocated_us=HOUR_US, busy_us=HOUR_US // 4, measured_us=HOUR_US)],
        )
        for hour in range(24)
    ]
    for _again in range(2):
        assert write_hours(prom, hours, names=names) == 24
    assert {table: said.total(table)[:4] for table in TABLES[1:]} == dict.fromkeys(
        TABLES[1:], (24 * HOUR_US, 0, 0, 6 * HOUR_US)
    )
    assert Source.objects.get().watermark_at == day + DAY
    assert Gpu.objects.get().first_sample_at is not None


def test_a_reread_of_nothing_says_so() -> None:
    assert reread(timedelta(hours=2), said.START) == "No source has been read yet."


def _until(row: Series, minutes: int) -> Series:
    """What is known of a series two scrapes after `minutes`."""
    kept = [(time, value) for time, value in zip(row.times, row.values, strict=True) if time < at(60 * minutes + 90)]
    times, values = [time for time, _ in kept], [value for _, value in kept]
    return Series(row.unit, row.profile, row.field, row.replica, row.holder, times, values)


def test_an_xid_is_an_event_when_it_changes_and_only_once() -> None:
    prom = said.source()
    codes = [0.0] * 20 + [79.0] * 60 + [31.0] * 60
    rows = [series(every(30, -300, 3900), 0.5), series(every(30, -300, 3900), codes, field=Field.XID)]
    said.read(prom, rows)
    said.read(prom, rows)
    assert list(XidEvent.objects.order_by("at").values_list("code", "at")) == [
        (79, said.START + timedelta(seconds=300)),
        (31, said.START + timedelta(seconds=2100)),
    ]


def test_activity_of_zero_under_load_is_said_on_the_source() -> None:
    prom = said.source()
    times = every(30, -300, 3900)
    said.read(prom, [series(times, 0.0), series(times, 650, field=Field.POWER)])
    [note] = SourceNote.objects.values_list("text", flat=True)
    assert note.startswith(f"{UUID} reads an activity of 0 (field 1001) while it draws power well above idle")


def test_an_idle_board_is_no_suspect() -> None:
    times = every(30, -300, 3900)
    said.read(said.source(), [series(times, 0.0), series(times, 70, field=Field.POWER)])
    assert SourceNote.objects.count() == 0


def test_how_long_a_gap_of_labels_is_bridged_is_a_setting() -> None:
    prom = said.source()
    times = every(30, -300, 3900)
    gap = [time for time in times if 600 <= time < 720]
    rows = [series([time for time in times if time not in gap], 0.5), series(gap, 0.5, holder=None)]
    said.read(prom, rows)
    assert said.total("telemetry_fact")[:2] == (HOUR_US, 0)
    prom.config["bridge"] = "60s"
    said.read(prom, rows)
    assert said.total("telemetry_fact")[:2] == (HOUR_US - 120 * S, 120 * S)


def test_a_gpu_that_left_mig_is_a_whole_one_again() -> None:
    prom = said.source()
    sliced = every(30, -300, 3600)
    rows = [
        series(sliced, 1.0, gi_id=7, profile="1g.5gb"),
        series(sliced, 1.0, gi_id=2, profile="3g.20gb", holder=BOB),
        series(every(30, 4 * 3600, 5 * 3600 + 300), 0.5),
    ]
    said.read(prom, rows)
    said.read(prom, rows, said.window(60, after=240))
    usage = reads.usage(said.window(60, after=240), teams=EVERYTHING, group_by=reads.GroupBy.WORKLOAD)
    assert [(row.group, row.allocated_us) for row in usage.rows] == [("train-0", HOUR_US)]


def test_a_part_of_an_hour_whose_facts_are_gone_does_not_replace_the_hour() -> None:
    prom = said.source()
    rows = [series(every(30, -300, 3900), 0.5)]
    said.read(prom, rows)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM telemetry_fact")
    [outcome] = said.read(prom, rows, said.window(5, after=25))
    assert outcome.window == said.window()
    assert {table: said.total(table)[0] for table in TABLES} == dict.fromkeys(TABLES, HOUR_US)


def test_a_gpus_memory_is_what_is_used_free_and_reserved() -> None:
    times = every(30, 0, 300)
    parts = {Field.FB_USED: 61_000.0, Field.FB_FREE: 20_000.0, Field.FB_RESERVED: 559.0}
    said.read(said.source(), [series(times, value, field=name) for name, value in parts.items()], said.window(5))
    assert Gpu.objects.get(uuid=UUID).memory_mib == 81_559

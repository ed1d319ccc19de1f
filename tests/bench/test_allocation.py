"""Allocation of a whole bill: rows and lines a second, with exact sums, against the COPY of its own lines."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest
from django.db import connection

from costs.allocate import allocate
from costs.models import AllocationLine, AllocationRun
from tests import world
from tests.bench import focus_bill
from tests.costs import bills

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]
ROWS = int(os.environ.get("FLEETLEDGER_BENCH_BILL_ROWS", "50000"))
TEAMS = 50


def test_a_bill_is_allocated_to_fifty_teams_exactly(tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    focus_bill.write(file, ROWS)
    bills.source()
    for number in range(TEAMS):
        bills.tag_rule(world.team(f"team-{number}"), number, team=f"team-{number}")
    bills.deliver(file.read_bytes())
    began = time.perf_counter()
    (outcome,) = allocate(bills.OCTOBER)
    took_s = time.perf_counter() - began
    floor_s = _floor_s()
    peak = _peak()
    print(
        f"\nallocation: {ROWS} rows to {TEAMS} teams, {ROWS / took_s:,.0f} rows/s, "
        f"{took_s / floor_s:.2f} x floor (INSERT ... SELECT of its lines, {floor_s:.2f} s), peak {peak / 1e6:.0f} MB"
    )
    assert (outcome.row_count, outcome.line_count) == (ROWS, ROWS)
    assert outcome.amount == bills.stated()


def _floor_s() -> float:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_lines (LIKE costs_allocationline INCLUDING INDEXES)")
        began = time.perf_counter()
        cursor.execute("INSERT INTO bare_lines SELECT * FROM costs_allocationline")
        took = time.perf_counter() - began
        cursor.execute("DROP TABLE bare_lines")
    return took


def _peak() -> int:
    AllocationRun.objects.update(inputs_hash="stale")
    tracemalloc.start()
    allocate(bills.OCTOBER)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert AllocationLine.objects.count() == ROWS
    return peak

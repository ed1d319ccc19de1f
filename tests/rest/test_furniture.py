"""Parameters, CSV, pages and ETags by themselves."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from fleetledger.lib.buckets import HOUR, Month, Window
from fleetledger.lib.durations import DurationError, parse_duration
from fleetledger.lib.keyset import Cut
from fleetledger.rest import params
from fleetledger.rest.pagination import Ask, page_in_memory, paged_response
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.renderers import csv_cell, dumps, to_csv

H = datetime(2026, 11, 1, 10, tzinfo=UTC)


def asking(**query: str) -> Request:
    return Request(APIRequestFactory().get("/", query))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01T10:00:00Z", H),
        ("2026-11-01T11:00:00+01:00", H),
        ("2026-11-01t10:00:00z", H),
        ("1793527200", H),
        ("1793527200.5", H + timedelta(milliseconds=500)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_instant_is_rfc_3339_or_seconds(text: str, expected: datetime) -> None:
    assert params.instant(asking(at=text), "at") == expected


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-01", "2026-11-01T10:00:00", "2026-13-01T00:00:00Z", "99999999999999", "1e9", "-1", "NaN"],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ProblemError, match="'at' is an instant such as 2026-11-01T00:00:00Z"):
        params.instant(asking(at=text), "at")


def test_a_window_off_the_grid_is_refused_with_the_nearest_instants() -> None:
    query = {"from": "2026-11-01T10:02:00Z", "to": "2026-11-01T11:00:00Z"}
    with pytest.raises(ProblemError) as caught:
        params.window(asking(**query))
    assert caught.value.detail == (
        "'from' is aligned to 5 minutes in UTC. Nearest: 2026-11-01T10:00:00Z and 2026-11-01T10:05:00Z."
    )
    assert caught.value.extra["nearest"] == ["2026-11-01T10:00:00Z", "2026-11-01T10:05:00Z"]


def test_a_window_is_aligned_ordered_and_bounded() -> None:
    def window(start: str, end: str) -> Window:
        words = {"from": f"2026-11-01T{start}:00Z", "to": f"2026-11-01T{end}:00Z"}
        return params.window(asking(**words), step=HOUR, longest=timedelta(days=1))

    assert window("10:00", "12:00") == Window(H, H + 2 * HOUR)
    for start, end, sentence in (
        ("10:00", "10:00", "after"),
        ("11:00", "10:00", "after"),
        ("10:00", "10:30", "a full hour"),
    ):
        with pytest.raises(ProblemError, match=sentence):
            window(start, end)
    with pytest.raises(ProblemError, match="at most 1 days"):
        params.window(asking(**{"from": "0", "to": "864000"}), longest=timedelta(days=1))


def test_days_months_flags_and_words_are_read() -> None:
    request = asking(day="2026-11-01", period="2026-10", on="yes", step="hour")
    assert params.day(request, "day") == date(2026, 11, 1)
    assert params.day(request, "other") is None
    assert params.month(request) == Month(2026, 10)
    assert params.flag(request, "on") is True
    assert params.one_of(request, "step", ["hour", "day"], "day") == "hour"
    for read in (
        lambda: params.day(asking(day="2026-02-30"), "day"),
        lambda: params.month(asking(period="2026-13")),
        lambda: params.one_of(asking(step="year"), "step", ["hour", "day"], "day"),
        lambda: params.only(asking(setp="hour"), "step"),
    ):
        with pytest.raises(ProblemError):
            read()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-rm", "'-rm"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("-2.6137", "-2.6137"),
        ("1e-7", "1e-7"),
        (-5, "-5"),
        (Decimal("-0.0000001"), "-0.0000001"),
        (None, ""),
        (True, "true"),
        (H, "2026-11-01T10:00:00Z"),
        ([{"a": 1}], '[{"a":1}]'),
        ("plain", "plain"),
    ],
)
def test_a_cell_is_never_a_formula_and_numbers_stay_numbers(value: Any, expected: str) -> None:
    assert csv_cell(value) == expected


def test_lines_follow_rfc_4180() -> None:
    rows = [{"name": 'a "b"', "sum": "1.50"}, {"name": "c,\nd"}]
    assert to_csv(rows) == 'name,sum\r\n"a ""b""",1.50\r\n"c,\nd",\r\n'


def test_json_has_utc_instants_and_exact_decimals() -> None:
    assert dumps({"at": H, "sum": Decimal("1.10"), "set": frozenset({2, 1})}) == (
        b'{"at":"2026-11-01T10:00:00Z","sum":"1.10","set":[1,2]}'
    )


def test_a_page_cut_at_a_decimal_goes_on_after_it() -> None:
    rows = [("USD", -Decimal("10.50")), ("USD", -Decimal("2.1")), ("USD", -Decimal("2.05"))]
    request = asking(limit="1")
    seen = []
    while True:
        page = page_in_memory(rows, Ask.of(request), lambda row: row)
        seen += list(page.results)
        following = paged_response(request, page).data["next"]
        if following is None:
            break
        request = Request(APIRequestFactory().get(following))
    assert seen == rows


@given(names=st.sets(st.text(min_size=1, max_size=5)), limit=st.integers(1, 5))
def test_pages_forwards_and_backwards_give_each_row_once(names: set[str], limit: int) -> None:
    rows = sorted(names)

    def walk(cut: Cut) -> list[str]:
        page = page_in_memory(rows, cut, lambda row: (row,))
        onward = page.previous if cut.backwards else page.next
        rest = walk(Cut(limit, onward, cut.backwards)) if onward else []
        return rest + list(page.results) if cut.backwards else list(page.results) + rest

    assert walk(Cut(limit)) == rows
    if rows:
        last = page_in_memory(rows, Cut(limit, (rows[-1],), backwards=True), lambda row: (row,))
        assert [*walk(Cut(limit, (rows[-1],), backwards=True)), rows[-1]] == rows
        assert last.next == ((last.results[-1],) if last.results else None)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("7d", 604_800), ("500ms", 0.5), ("1w", 604_800)]
)
def test_a_duration_is_read_as_prometheus_writes_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0s", "30", "-5m", "5 m", "m5", "1m1h", "9" * 30 + "d", "9" * 5000 + "s", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DurationError):
        parse_duration(text)

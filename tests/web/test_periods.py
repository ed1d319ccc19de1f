"""Time ranges in the address: presets, instants, days, and errors in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetledger.lib.buckets import BUCKET, DAY, HOUR, Window
from fleetledger.web.periods import parse_period

NOW = datetime(2026, 11, 23, 10, 42, 17, tzinfo=UTC)


def _at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_an_empty_address_means_the_last_thirty_days_in_whole_hours() -> None:
    period = parse_period({}, NOW)
    assert period.window == Window(datetime(2026, 10, 24, 10, tzinfo=UTC), _at(23, 11))
    assert (period.preset, period.label, period.words, period.step) == ("30d", "24 Oct – 23 Nov", "30 days", HOUR)  # noqa: RUF001
    assert period.query == "from=now-30d&to=now"


def test_a_day_is_drawn_in_five_minutes_and_named_with_its_hours() -> None:
    period = parse_period({"from": "now-24h", "to": "now"}, NOW)
    assert period.window == Window(_at(22, 10, 40), _at(23, 10, 45))
    assert (period.step, period.label) == (BUCKET, "22 Nov 10:40 – 23 Nov 10:45")  # noqa: RUF001


def test_ninety_days_are_drawn_by_day() -> None:
    assert parse_period({"from": "now-90d", "to": "now"}, NOW).step == DAY


def test_bare_days_include_the_last_one() -> None:
    period = parse_period({"from": "2026-11-01", "to": "2026-11-07"}, NOW)
    assert period.window == Window(_at(1), _at(8))
    assert (period.preset, period.first_day, period.last_day) == ("", "2026-11-01", "2026-11-07")
    assert period.query == "from=2026-11-01T00:00Z&to=2026-11-08T00:00Z"


def test_instants_of_other_zones_are_read_as_utc() -> None:
    period = parse_period({"from": "2026-11-22T01:00+01:00", "to": "2026-11-22T12:02"}, NOW)
    assert period.window == Window(_at(22), _at(22, 12, 5))


def test_the_period_before_is_as_long_and_ends_where_this_one_starts() -> None:
    period = parse_period({"from": "2026-11-08", "to": "2026-11-14"}, NOW)
    assert period.previous == Window(_at(1), _at(8))


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (
            {"from": "yesterday"},
            "'yesterday' is not a time for 'from'. Write now-30d, a day such as 2026-10-24, or 2026-10-24T12:00Z.",
        ),
        (
            {"from": "2026-11-09", "to": "2026-11-01"},
            "The range ends before it starts. Choose a later 'to' or an earlier 'from'.",
        ),
        ({"from": "2026-12-01", "to": "2026-12-02"}, "The range lies in the future. Choose days that have begun."),
        ({"from": "1999-01-01", "to": "now"}, "The range is longer than five years. Choose a shorter one."),
    ],
)
def test_a_wrong_range_says_so_and_shows_the_default(query: dict[str, str], error: str) -> None:
    period = parse_period(query, NOW)
    assert (period.error, period.preset) == (error, "30d")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_address_breaks_the_page(start: str, end: str) -> None:
    period = parse_period({"from": start, "to": end}, NOW)
    assert period.window.duration > timedelta(0)


@given(st.integers(min_value=6, max_value=2_000_000))
def test_a_chart_never_has_more_than_about_a_thousand_points_up_to_ninety_days(minutes: int) -> None:
    period = parse_period({"from": f"now-{min(minutes, 129_600)}m", "to": "now"}, NOW)
    assert period.window.duration / period.step <= 1_100


def test_a_link_to_send_names_instants_instead_of_now() -> None:
    period = parse_period({"from": "now-7d", "to": "now"}, NOW)
    assert period.fixed_query == "from=2026-11-16T10:00Z&to=2026-11-23T11:00Z"


def test_an_unknown_refresh_is_the_usual_one() -> None:
    assert parse_period({"refresh": "1ms"}, NOW).refresh_seconds == 60
    assert parse_period({"refresh": "Off"}, NOW).refresh_seconds == 0

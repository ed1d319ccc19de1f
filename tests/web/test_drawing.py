"""Sparklines, figures, key figures and the words beside them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import RequestFactory

from fleetledger.lib.buckets import HOUR, Window
from fleetledger.web import charts, words
from fleetledger.web.charts import Figure, Series
from fleetledger.web.kpis import Delta, change_in_percent, change_in_points
from fleetledger.web.shapes import spark_paths
from monitoring.telemetry import figures, reads

START = datetime(2026, 11, 1, tzinfo=UTC)
TIMES = [START + HOUR * place for place in range(3)]


def _figure() -> Figure:
    series = [Series("A & B", [1.0, None, 3.0], "c1"), Series("Idle", [0.0, 1.0, 2.0], "idle")]
    return charts.stacked_areas(TIMES, series, unit="GPUs", window=Window(START, START + HOUR * 3))


def test_a_gap_in_the_values_is_a_gap_in_the_line() -> None:
    assert spark_paths([0, 10, None, 5, 5]) == (
        "M0.0 28.0L25.0 2.0M75.0 15.0L100.0 15.0",
        "M0.0 30L0.0 28.0L25.0 2.0L25.0 30ZM75.0 30L75.0 15.0L100.0 15.0L100.0 30Z",
    )


@pytest.mark.parametrize("values", [[], [None, None]])
def test_nothing_known_draws_nothing(values: list[float | None]) -> None:
    assert spark_paths(values) == ("", "")


def test_a_single_known_value_is_a_short_stroke() -> None:
    assert spark_paths([None, 4.0, None])[0].count("L") == 1


def test_a_figure_is_plain_data_in_the_colours_of_the_theme() -> None:
    figure = _figure()
    assert figure.data[0]["y"] == [1.0, None, 3.0]
    assert figure.data[0]["fillcolor"] == "var(--c1-fill)"
    assert figure.data[0]["x"] == ["2026-11-01T00:00:00", "2026-11-01T01:00:00", "2026-11-01T02:00:00"]
    assert "A &amp; B" in figure.data[0]["hovertemplate"]
    assert figure.layout["yaxis"]["gridcolor"] == "var(--grid)"
    assert figure.layout["xaxis"]["range"] == ["2026-11-01T00:00:00", "2026-11-01T03:00:00"]


def test_a_figure_that_the_browser_has_is_not_sent_again() -> None:
    first = charts.figure_response(RequestFactory().get("/f.json"), _figure())
    etag = first.headers["ETag"]
    again = charts.figure_response(RequestFactory().get("/f.json", headers={"If-None-Match": etag}), _figure())
    assert (first.status_code, again.status_code, again.headers["ETag"]) == (200, 304, etag)
    assert "private" in first.headers["Cache-Control"]


def test_a_figure_is_also_a_table() -> None:
    assert charts.table_of(_figure()) == (
        ["at", "A & B", "Idle"],
        [["2026-11-01T00:00:00", 1.0, 0.0], ["2026-11-01T01:00:00", None, 1.0], ["2026-11-01T02:00:00", 3.0, 2.0]],
    )


def test_unknown_cells_of_a_heat_map_are_a_layer_of_their_own_and_no_part_of_the_table() -> None:
    figure = charts.heat_map(["Mon 2"], ["0", "1"], [[None, 50.0]], unknown=[[True, False]], unit="%")
    assert figure.data[0]["z"] == [[1, None]]
    assert figure.data[0]["colorscale"] == [[0, "var(--unknown)"], [1, "var(--unknown)"]]
    assert charts.table_of(figure) == (["day", "0", "1"], [["Mon 2", None, 50.0]])


def test_beyond_the_largest_series_the_rest_is_summed() -> None:
    series = [Series(name, [float(size), None], "c1") for name, size in (("a", 1), ("b", 5), ("c", 3), ("d", 2))]
    assert charts.top_and_other(series, keep=2) == [
        Series("b", [5.0, None], "c1"),
        Series("c", [3.0, None], "c2"),
        Series("Other (2)", [3.0, 0], "c-other"),
    ]


@pytest.mark.parametrize(("minutes", "whole"), [(130, 2), (200, 3), (20, 3), (None, 3)])
def test_a_step_that_still_runs_is_not_drawn(monkeypatch: pytest.MonkeyPatch, minutes: int | None, whole: int) -> None:
    """It would look like a fall. Where not even the first step is whole, what there is is shown."""
    read_until = START + timedelta(minutes=minutes) if minutes else None
    monkeypatch.setattr(reads, "read_until", lambda: read_until)
    window = Window(START, START + HOUR * 3)
    assert figures.whole_steps(window, HOUR) == Window(START, START + HOUR * whole)


def test_unknown_stretches_are_shaded() -> None:
    shaded = charts.shaded(_figure(), [Window(START, START + HOUR)])
    assert [(shape["x0"], shape["x1"]) for shape in shaded.layout["shapes"]] == [
        ("2026-11-01T00:00:00", "2026-11-01T01:00:00")
    ]


def test_changes_say_which_way_is_good() -> None:
    assert change_in_points(70.8, 66.6, up_is_good=True) == Delta("+4.2 pt", "good", "up")
    assert change_in_percent(84.0, 100.0, up_is_good=False) == Delta("\N{MINUS SIGN}16.0%", "good", "down")
    assert change_in_percent(110.0, 100.0, up_is_good=None) == Delta("+10.0%", "", "up")
    assert change_in_points(50.0, 50.01, up_is_good=True) == Delta("no change")
    assert change_in_points(None, 50.0, up_is_good=True) is None
    assert change_in_percent(5.0, 0.0, up_is_good=False) is None


@pytest.mark.parametrize(
    ("amount", "currency", "whole", "text"),
    [
        (Decimal("84210.555"), "USD", True, "$84,211"),
        (Decimal("84210.555"), "USD", False, "$84,210.56"),
        (Decimal("670.28"), "USD", True, "$670"),
        (Decimal("12.34"), "USD", True, "$12.34"),
        (Decimal("-0.005"), "EUR", False, "€0.00"),
        (Decimal("-12.5"), "GBP", False, "\N{MINUS SIGN}£12.50"),
        (Decimal("1234.5"), "JPY", False, "¥1,234"),
        (Decimal("1.0005"), "KWD", False, "KWD 1.000"),
        (None, "USD", False, "\N{EN DASH}"),
    ],
)
def test_money_is_said_in_its_currency(amount: Decimal | None, currency: str, *, whole: bool, text: str) -> None:
    assert words.money(amount, currency, whole=whole) == text


def test_all_digits_of_an_exact_amount_are_there() -> None:
    assert words.exact_money(Decimal("18.00663861840"), "USD") == "18.0066386184 USD"
    assert words.exact_money(Decimal(100), "USD") == "100.00 USD"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(38, "38 s"), (-4, "0 s"), (600, "10 min"), (7200, "2 h"), (400_000, "5 days")],
)
def test_spans_are_said_in_the_unit_that_fits(seconds: int, text: str) -> None:
    assert words.duration(timedelta(seconds=seconds)) == text


def test_gpu_hours_keep_three_digits() -> None:
    hour = 3_600_000_000
    assert [words.gpu_hours(value) for value in (None, hour, 12 * hour, 1234 * hour)] == [
        "\N{EN DASH}",
        "1.00",
        "12.0",
        "1,234",
    ]

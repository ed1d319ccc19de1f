"""A track opens, worsens, closes and flaps by the steps that its docstring numbers."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift.findings.grouping import RootReading, by_root
from drift.findings.multiplicity import rejected
from drift.findings.overdue import Overdue, overdue
from drift.findings.readings import DATA_SET, Reading, Verdict
from drift.findings.rules import Rules
from drift.findings.seasons import References, Season, season_of
from drift.findings.tracking import Change, Step, Track, replay, step
from drift.measures.robust.profile import Profile
from drift.measures.robust.scoring import Severity

START = datetime(2026, 10, 1, tzinfo=UTC)
VERDICTS = {"d": Verdict.DRIFTED, "n": Verdict.NEAR, ".": Verdict.CLEAN, "?": Verdict.INSUFFICIENT}


def window(number: int) -> datetime:
    return START + timedelta(hours=number)


def reading(verdict: Verdict, *, at_once: bool = False, severity: Severity = Severity.LOW) -> RootReading:
    one = Reading("a", verdict, severity=severity if verdict is Verdict.DRIFTED else Severity.NONE, at_once=at_once)
    return RootReading("a", one, (one,))


def told(letters: str) -> list[tuple[int, Change, bool]]:
    """What a row of windows changes (d drifted, n near, . clean, ? insufficient): window, change, told to nobody."""
    _, changes = replay("a", [(window(at), reading(VERDICTS[letter])) for at, letter in enumerate(letters)], Rules())
    return [(hours(one), one.change, one.is_quiet) for one in changes if one.change is not None]


def hours(moved: Step) -> int:
    assert moved.track.last_window is not None
    return (moved.track.last_window - START) // timedelta(hours=1)


@pytest.mark.parametrize(
    ("letters", "changes"),
    [
        ("dd....dd...", []),
        ("d.d.d", [(4, Change.OPENED, False)]),
        ("dd..d", [(4, Change.OPENED, False)]),
        ("d?d??d", [(5, Change.OPENED, False)]),
        ("ddd.....", [(2, Change.OPENED, False), (7, Change.CLOSED, False)]),
        ("ddd..n.....", [(2, Change.OPENED, False), (10, Change.CLOSED, False)]),
        ("ddd....?.", [(2, Change.OPENED, False), (8, Change.CLOSED, False)]),
        ("ddd????????????", [(2, Change.OPENED, False)]),
        ("ddd....d.....", [(2, Change.OPENED, False), (12, Change.CLOSED, False)]),
    ],
)
def test_findings_open_on_3_of_5_and_close_after_5_clean_windows(
    letters: str, changes: list[tuple[int, Change, bool]]
) -> None:
    assert told(letters) == changes


def test_a_signal_that_flaps_opens_quietly_and_takes_longer_to_close() -> None:
    assert told("ddd....." * 3 + "." * 12) == [
        (2, Change.OPENED, False),
        (7, Change.CLOSED, False),
        (10, Change.OPENED, False),
        (15, Change.CLOSED, False),
        (18, Change.OPENED, True),
        (33, Change.CLOSED, True),
    ]


def test_flapping_long_ago_is_forgotten() -> None:
    changes = told("ddd....." * 2 + "." * 40 + "ddd.....")
    assert changes[-2:] == [(58, Change.OPENED, False), (63, Change.CLOSED, False)]


def test_the_same_window_twice_and_an_older_one_change_nothing() -> None:
    once = step(Track("a"), reading(Verdict.DRIFTED, at_once=True), Rules(), window=window(5))
    assert once.change is Change.OPENED
    again = step(once.track, reading(Verdict.DRIFTED, at_once=True), Rules(), window=window(5))
    older = step(once.track, reading(Verdict.CLEAN), Rules(), window=window(4))
    assert (again, older) == (Step(once.track), Step(once.track))


def test_an_open_finding_gets_worse_once_for_each_severity() -> None:
    track, changes = Track("a"), []
    for at, severity in enumerate([Severity.LOW, Severity.HIGH, Severity.MEDIUM, Severity.HIGH]):
        moved = step(track, reading(Verdict.DRIFTED, at_once=True, severity=severity), Rules(), window=window(at))
        track = moved.track
        changes.append(moved.change)
    assert changes == [Change.OPENED, Change.WORSENED, None, None]
    assert track.severity is Severity.HIGH


def test_windows_without_enough_data_are_counted_until_one_has() -> None:
    track, _ = replay("a", [(window(at), reading(Verdict.INSUFFICIENT)) for at in range(4)], Rules())
    assert (track.blind, track.judged, track.is_open) == (4, 0, False)
    assert step(track, reading(Verdict.CLEAN), Rules(), window=window(4)).track.blind == 0


@settings(deadline=None)
@given(st.text(alphabet="dn.?", max_size=60))
def test_openings_and_closings_alternate_whatever_comes(letters: str) -> None:
    kinds = [change for _, change, _ in told(letters)]
    assert kinds == [Change.OPENED, Change.CLOSED] * (len(kinds) // 2) + [Change.OPENED] * (len(kinds) % 2)


def test_correlated_columns_speak_with_the_voice_of_the_one_furthest_off() -> None:
    low = Reading("a", Verdict.CLEAN, effect=0.05, threshold=0.1)
    high = Reading("b", Verdict.DRIFTED, effect=0.3, threshold=0.1)
    higher = Reading("c", Verdict.DRIFTED, effect=0.4, threshold=0.1)
    alone = Reading("d", Verdict.INSUFFICIENT)
    assert by_root([low, high, higher, alone], [("a", "b", "c")]) == (
        RootReading("a", higher, (low, high, higher)),
        RootReading("d", alone, (alone,)),
    )
    assert by_root([low, high, higher], [("a", "b", "c")])[0].drifted == ("b", "c")


def test_while_the_data_set_drifts_its_columns_open_no_findings_of_their_own() -> None:
    whole = Reading(DATA_SET, Verdict.DRIFTED, effect=0.9, threshold=0.5, at_once=True)
    drifted, clean = Reading("a", Verdict.DRIFTED, effect=0.3, threshold=0.1), Reading("b", Verdict.CLEAN)
    assert by_root([drifted, clean, whole], []) == (
        RootReading(DATA_SET, whole, (drifted, whole)),
        RootReading("b", clean, (clean,)),
    )


def test_benjamini_hochberg_takes_everything_up_to_the_last_that_passes() -> None:
    p_values = {"a": 0.001, "b": 0.012, "c": 0.014, "d": 0.5, "e": 0.9}
    assert rejected(p_values, q=0.05) == {"a", "b", "c"}
    assert rejected(p_values, q=0.005) == {"a"}
    assert rejected({"a": 0.06}, q=0.05) == frozenset()
    assert rejected({}, q=0.05) == frozenset()


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=12), st.floats(0.001, 0.5))
def test_benjamini_hochberg_is_never_stricter_than_bonferroni_nor_laxer_than_no_correction(
    p_values: dict[str, float], q: float
) -> None:
    found = rejected(p_values, q)
    assert {name for name, p_value in p_values.items() if p_value <= q / len(p_values)} <= found
    assert found <= {name for name, p_value in p_values.items() if p_value <= q}


def test_a_window_is_compared_with_its_own_season_in_local_time() -> None:
    monday_late = datetime(2026, 10, 5, 23, 30, tzinfo=UTC)
    berlin = timezone(timedelta(hours=2))
    assert [season_of(monday_late, season, berlin) for season in Season] == ["", "01h", "tuesday", "tuesday 01h"]
    whole, tuesday, thin = Profile((), 5000), Profile((), 700), Profile((), 20)
    references = References(whole, Season.WEEKDAY, berlin, {"tuesday": tuesday, "wednesday": thin})
    assert references.of(monday_late, Rules()) is tuesday
    assert references.of(monday_late + timedelta(days=1), Rules()) is whole
    assert references.of(monday_late + timedelta(days=2), Rules()) is whole
    assert References(whole).of(monday_late, Rules()) is whole


def test_a_report_is_missing_once_a_quarter_of_its_rhythm_has_passed_too() -> None:
    day = timedelta(days=1)
    assert overdue(START, day, START + day + timedelta(hours=6)) is None
    assert overdue(START, day, START + day + timedelta(hours=7)) == Overdue(START + day, missed=1)
    assert overdue(START, day, START + 3.5 * day) == Overdue(START + day, missed=3)

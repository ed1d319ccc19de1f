"""Whatever stands in a column, robust scores it, and the compatible recipe scores it or says why not."""

from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from drift.findings.native import judge_window
from drift.findings.rules import Rules
from drift.measures.compatible.methods import METHODS
from drift.measures.compatible.scoring import score_window
from drift.measures.robust.profile import count_window, make_profile
from drift.measures.windows import EventWindow

values = st.one_of(
    st.none(),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.text(max_size=4),
    st.lists(st.floats(-9, 9), max_size=3),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
    st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, -1.7e308, 2**63, -(2**63), "1e400", "nan", "0x1F", "\u0661", "\x00"]),
)
columns = st.lists(values, max_size=30)
RULES = Rules(min_rows=2)


def window(column: list[object]) -> EventWindow:
    return EventWindow([{"a": value} for value in column])


@settings(max_examples=300, deadline=None)
@given(columns, columns)
def test_the_robust_recipe_scores_everything(reference: list[object], current: list[object]) -> None:
    profile = make_profile(window(reference))
    judged = judge_window(profile, count_window(profile, window(current)), RULES)
    assert all(isfinite(one.effect) and 0 <= one.p_value <= 1 and 0 <= one.effect <= 1 for one in judged.scores)
    for column in profile.columns:
        counted = count_window(profile, window(current)).columns.get(column.name)
        assert counted is None or counted.present + counted.nulls + counted.misfits == counted.rows == len(current)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), columns, st.sampled_from(sorted(METHODS)))
def test_the_compatible_recipe_scores_or_says_why_not(
    reference: list[float], current: list[object], method: str
) -> None:
    found = score_window(window(list(reference)), window(current), method)
    assert len(found.scores) + len(found.refused) == 1
    assert all(isfinite(one.value) for one in found.scores)

"""Who owns what on which day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetledger.fleet.ownership import Change, Resolver, Rule, change_between, in_force
from fleetledger.fleet.patterns import PatternError, compiled
from fleetledger.fleet.pools import PoolResolver, PoolTerms
from tests import world

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
VISION, SPEECH, RESEARCH = 1, 2, 3


def test_the_first_rule_that_matches_wins() -> None:
    resolver = Resolver([Rule(VISION, {"namespace": "vision-.*"}), Rule(SPEECH, {"namespace": ".*"})])
    found = [resolver.team_for(NOON, cluster="c1", namespace=name) for name in ("vision-train", "other", "")]
    assert found == [VISION, SPEECH, SPEECH]


def test_patterns_match_whole_names_as_in_prometheus() -> None:
    resolver = Resolver([Rule(VISION, {"namespace": "vision"})])
    found = [resolver.team_for(NOON, namespace=name) for name in ("vision", "vision-2", "a-vision")]
    assert found == [VISION, None, None]


def test_every_key_of_a_match_must_fit() -> None:
    match = {"cluster": "c1", "node": "n.", "workload": "job-.*", "gpu_model": ".*H100.*", "pool": "h100"}
    resolver = Resolver([Rule(VISION, match)])
    names = {"cluster": "c1", "node": "n1", "workload": "job-1", "gpu_model": "NVIDIA H100", "pool": "h100"}
    assert resolver.team_for(NOON, **names) == VISION
    assert [resolver.team_for(NOON, **(names | {key: "else"})) for key in names] == [None] * 5


def test_a_rule_holds_from_midnight_to_midnight_utc() -> None:
    resolver = Resolver([Rule(VISION, {"cluster": "c1"}, date(2026, 3, 10), date(2026, 3, 11))])
    start = datetime(2026, 3, 10, tzinfo=UTC)
    step = timedelta(microseconds=1)
    instants = (start - step, start, start + timedelta(days=1) - step, start + timedelta(days=1))
    assert [resolver.team_for(at, cluster="c1") for at in instants] == [None, VISION, VISION, None]


def test_an_instant_of_another_time_zone_counts_by_its_utc_day() -> None:
    resolver = Resolver([Rule(VISION, {"cluster": "c1"}, date(2026, 3, 10))])
    at = datetime.fromisoformat("2026-03-10T00:30:00+02:00")
    assert resolver.team_for(at, cluster="c1") is None


def test_of_identical_matches_the_latest_start_in_force_beats_position() -> None:
    match = {"namespace": "shared-.*"}
    resolver = Resolver(
        [
            Rule(VISION, match, date(2026, 1, 1)),
            Rule(SPEECH, dict(match), date(2026, 3, 1)),
            Rule(RESEARCH, {"namespace": ".*"}),
        ]
    )
    days = [datetime(2026, month, 5, tzinfo=UTC) for month in (2, 3)]
    assert [resolver.team_for(day, namespace="shared-a") for day in days] == [VISION, SPEECH]
    assert resolver.team_for(datetime(2025, 1, 1, tzinfo=UTC), namespace="shared-a") == RESEARCH


def test_tags_are_literal_and_belong_to_bills_alone() -> None:
    resolver = Resolver(
        [
            Rule(VISION, {"tags": {"business_unit": "Vision.*"}}),
            Rule(SPEECH, {"tags": {"business_unit": "SpeechAI"}, "cluster": "c1"}),
        ]
    )
    assert resolver.team_for(NOON, cluster="c1") is None
    assert resolver.team_for_tags(NOON, {"business_unit": "VisionAI"}) is None
    assert resolver.team_for_tags(NOON, {"business_unit": "Vision.*"}) == VISION
    assert resolver.team_for_tags(NOON, {"business_unit": "SpeechAI"}) is None
    assert resolver.team_for_tags(NOON, {"business_unit": "SpeechAI"}, cluster="c1") == SPEECH


def test_a_rule_without_tags_owns_no_bill_row() -> None:
    assert Resolver([Rule(VISION, {"cluster": ".*"})]).team_for_tags(NOON, {"team": "vision"}) is None


@pytest.mark.parametrize("pattern", ["(a+)+", "(a*)*b", "(.*x)+", "((ab)*c)*", "a{1,}{200,}"])
def test_a_pattern_that_could_run_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["vision-.*", "(vision|speech)-.+", "gpu-[0-9]{1,3}", "(ab)+", "a?b*c+"])
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    assert compiled(pattern).pattern == pattern


def test_a_broken_pattern_is_told_with_its_reason() -> None:
    with pytest.raises(PatternError, match="'vision-\\(' is no regular expression"):
        compiled("vision-(")


def test_the_change_between_two_lists_starts_on_the_first_day_that_differs() -> None:
    old = [Rule(VISION, {"cluster": "c1"}, date(2026, 1, 1))]
    assert change_between(old, old) is None
    assert change_between(old, []) == Change(date(2026, 1, 1))
    assert change_between([], [Rule(VISION, {"cluster": "c1"})]) == Change(None)
    assert change_between(old, [*old, Rule(SPEECH, {"cluster": "c1"}, date(2026, 2, 1))]) == Change(date(2026, 2, 1))
    assert change_between(old, [Rule(SPEECH, {"cluster": "c1"}, date(2026, 1, 1))]) == Change(date(2026, 1, 1))
    ended = [Rule(VISION, {"cluster": "c1"}, date(2026, 1, 1), date(2026, 5, 1))]
    assert change_between(old, ended) == Change(date(2026, 5, 1))


_DAYS = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2026, 1, 20)))
_RULES = st.lists(
    st.builds(
        lambda team, name, start, length: Rule(
            team, {"cluster": name}, start, start + timedelta(days=length) if start and length else None
        ),
        st.integers(1, 3),
        st.sampled_from(["a", "b", ".*"]),
        _DAYS,
        st.integers(0, 9),
    ),
    max_size=5,
)


@given(old=_RULES, new=_RULES)
def test_before_the_day_of_change_nothing_is_decided_differently(old: list[Rule], new: list[Rule]) -> None:
    change = change_between(old, new)
    days = [date(2025, 12, 31) + timedelta(days=n) for n in range(32)]
    differing = [
        day
        for day in days
        if [(r.canonical, r.team_id) for r in in_force(old, day)]
        != [(r.canonical, r.team_id) for r in in_force(new, day)]
    ]
    if change is None:
        assert differing == []
    elif change.from_day is not None:
        assert differing[0] == change.from_day


@pytest.mark.django_db
def test_stored_rules_are_asked_in_their_order() -> None:
    vision, speech = world.team("vision"), world.team("speech")
    world.rule(speech, {"namespace": ".*"}, position=1)
    world.rule(vision, {"namespace": "vision-.*"}, position=0)
    resolver = Resolver.load()
    assert [resolver.team_for(NOON, namespace=name) for name in ("vision-a", "b")] == [vision.pk, speech.pk]


@pytest.mark.django_db
def test_a_gpu_belongs_to_the_first_pool_that_fits() -> None:
    owner = world.team("vision")
    world.pool("reserved", {"gpu_model": ".*H100.*", "node": "n1"}, idle="owner", owner=owner)
    world.pool("h100", {"gpu_model": ".*H100.*"})
    pools = PoolResolver.load()
    assert pools.pool_for("c1", "n1", "NVIDIA H100") == PoolTerms("reserved", "owner", "slices", owner.pk)
    assert pools.pool_for("c1", "n2", "NVIDIA H100") == PoolTerms("h100", "keep", "slices", None)
    assert pools.pool_for("c1", "n2", "NVIDIA L40S") is None

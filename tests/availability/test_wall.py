"""How the wall is laid out: what needs somebody comes first, and 2,000 components stay a page."""

from dataclasses import replace
from datetime import date

from monitoring.availability import charts, reads_days, wall
from monitoring.availability.figures import Tally
from monitoring.availability.reads import ComponentRow
from monitoring.availability.reads_days import Mark, mark
from monitoring.availability.states import State

DAY = date(2026, 11, 2)
UP = ComponentRow(
    id=1, name="api", title="API", kind="service", team=None, parent=None, zone="", needs=None, state=State.UP, why="",
    since=None, seen_at=None, healthy=0, members=0, tally=Tally(), runbook_url="", is_own=False, is_public=False,
)  # fmt: skip


def row(name: str, state: State = State.UP, parent: str | None = None, kind: str = "service") -> ComponentRow:
    return replace(UP, name=name, title=name, state=state, parent=parent, kind=kind)


def many(parents: int, children: int) -> list[ComponentRow]:
    tops = [row(f"c{number}", kind="cluster") for number in range(parents)]
    return tops + [row(f"{top.name}-{number}", parent=top.name) for top in tops for number in range(children)]


def test_what_stands_alone_is_together_and_the_worst_group_is_first() -> None:
    rows = [row("site"), row("a", parent="site"), row("b"), row("c"), row("d", kind="cluster")]
    rows += [row("e", State.DOWN, parent="d")]
    found = wall.groups(rows)
    assert [(group.key, group.title, [one.name for one in group.tiles]) for group in found.groups] == [
        ("d", "d", ["e"]),
        ("site", "site", ["a"]),
        ("alone", "On their own", ["b", "c"]),
    ]


def test_among_very_many_only_groups_with_something_wrong_are_open_and_tiles_end() -> None:
    rows = many(30, 60)
    rows[-1] = replace(rows[-1], state=State.DEGRADED)
    found = wall.groups(rows)
    first, *others = found.groups
    assert (found.page, found.pages, len(found.groups)) == (1, 2, wall.GROUPS)
    assert (first.key, first.is_open, len(first.tiles), first.hidden, first.tiles[0].name) == (
        "c29",
        True,
        24,
        36,
        "c29-59",
    )
    assert not any(group.is_open for group in others)
    assert sum(len(group.tiles) for group in found.groups) == wall.TILES
    assert first.states == ((State.DEGRADED, 1), (State.UP, 59))


def test_very_many_that_stand_alone_are_by_their_kind() -> None:
    rows = [row(f"s{number}") for number in range(50)] + [row(f"n{number}", kind="node") for number in range(50)]
    assert [(group.title, group.members, group.hidden) for group in wall.groups(rows).groups] == [
        ("Services", 50, 26),
        ("Nodes", 50, 26),
    ]


def test_a_day_is_as_bad_as_what_was_seen_of_it_and_says_what_was_not() -> None:
    assert [
        mark(DAY, seconds)
        for seconds in (
            (86_400, 0, 0, 0, 0, 0),
            (86_000, 0, 400, 0, 0, 0),
            (80_000, 0, 6_400, 0, 0, 0),
            (43_200, 0, 0, 0, 0, 43_200),
            (0, 0, 0, 0, 0, 86_400),
            (0, 0, 0, 86_400, 0, 0),
            (0, 0, 0, 0, 0, 0),
        )
    ] == [
        Mark(DAY, State.UP, 0.0, 0, 0),
        Mark(DAY, State.DEGRADED, 0.0, 400, 0),
        Mark(DAY, State.DOWN, 0.0, 6_400, 0),
        Mark(DAY, State.UP, 0.5, 0, 0),
        Mark(DAY, State.UNKNOWN, 1.0, 0, 0),
        Mark(DAY, State.MAINTENANCE, 0.0, 0, 0),
        Mark(DAY, None, 0.0, 0, 0),
    ]


def test_a_strip_hatches_what_was_not_seen_and_says_itself_in_words() -> None:
    marks = [Mark(DAY, State.UP, 0.0, 0, 0), Mark(DAY, State.UP, 0.5, 0, 0), Mark(DAY, State.DOWN, 0.0, 9_000, 0)]
    assert charts.strip(marks) == (
        '<svg class="days-strip" viewBox="0 0 11 20" preserveAspectRatio="none" role="img" '
        'aria-label="3 days: 1 with downtime, 1 not fully seen, 1 up throughout">'
        '<path class="s-up" d="M0 0h3v20h-3zM4 0h3v20h-3z"></path>'
        '<path class="s-down" d="M8 0h3v20h-3z"></path>'
        '<path class="s-unknown" d="M4 10h3v10h-3z"></path></svg>'
    )
    assert reads_days.said([Mark(DAY, None, 0, 0, 0)]) == "1 day, nothing expected"

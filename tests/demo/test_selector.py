"""Plain selectors are read as Prometheus reads them, everything else is refused with a sentence."""

import pytest

from fleetledger.demo.selector import Matcher, UnsupportedQueryError, parse


def test_a_selector_has_a_name_matchers_and_a_range() -> None:
    found = parse(""" up{a="1", b!='x"y', c=~`d.*`,e!~"f|g",}[1h30m] """)
    assert found.matchers == (
        Matcher("__name__", "=", "up"),
        Matcher("a", "=", "1"),
        Matcher("b", "!=", 'x"y'),
        Matcher("c", "=~", "d.*"),
        Matcher("e", "!~", "f|g"),
    )
    assert found.range_ms == 5_400_000


@pytest.mark.parametrize(
    ("query", "labels", "accepted"),
    [
        ('x{a="b"}', {"a": "b"}, True),
        ('x{a=""}', {}, True),
        ('x{a!="b"}', {}, True),
        ('x{a=~"b"}', {"a": "abc"}, False),
        ('x{a=~"b|abc"}', {"a": "abc"}, True),
        ('x{a!~".+"}', {}, True),
        (r'x{a="tab\there"}', {"a": "tab\there"}, True),
    ],
)
def test_matchers_are_anchored_and_absent_labels_are_empty(query: str, labels: dict[str, str], accepted: bool) -> None:
    assert parse(query).accepts({"__name__": "x", **labels}) is accepted


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sum(up)",
        "last_over_time(up[5m])",
        "count by (job) (up)",
        "up + 1",
        "up[5m:30s]",
        "up offset 5m",
        "{}",
        '{a=~".*"}',
        'up{a="1"',
        "up[0s]",
        "up[5]",
        'x{a=~"("}',
        "5",
    ],
)
def test_everything_else_is_refused(query: str) -> None:
    with pytest.raises(UnsupportedQueryError, match="plain selectors"):
        parse(query)

"""Matchers: Alertmanager's syntax, its escapes, its anchors."""

import pytest

from monitoring.alerts.matchers import (
    Matcher,
    MatcherError,
    Op,
    all_to_text,
    of_json,
    parse,
    parse_all,
    to_json,
    to_text,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity="critical"', Matcher("severity", Op.EQUAL, "critical")),
        ("severity=critical", Matcher("severity", Op.EQUAL, "critical")),
        (" severity != critical ", Matcher("severity", Op.NOT_EQUAL, "critical")),
        ('node=~"gpu-[0-9]+"', Matcher("node", Op.REGEX, "gpu-[0-9]+")),
        ("node!~gpu-.*", Matcher("node", Op.NOT_REGEX, "gpu-.*")),
        ('"node"="a"', Matcher("node", Op.EQUAL, "a")),
        ("a=", Matcher("a", Op.EQUAL, "")),
        ('a=""', Matcher("a", Op.EQUAL, "")),
        ("a==b", Matcher("a", Op.EQUAL, "=b")),
        (r'a="x\"y\\z\n"', Matcher("a", Op.EQUAL, 'x"y\\z\n')),
        (r'a=~"\d+\.\w"', Matcher("a", Op.REGEX, r"\d+\.\w")),
        ('a="x,y}{"', Matcher("a", Op.EQUAL, "x,y}{")),
        (r"a=x\y", Matcher("a", Op.EQUAL, r"x\y")),
        ('a="größe 🔥"', Matcher("a", Op.EQUAL, "größe 🔥")),
    ],
)
def test_a_matcher_is_read_with_or_without_quotes(text: str, expected: Matcher) -> None:
    assert parse(text) == expected
    assert parse(to_text(expected)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", []),
        ("", []),
        ('{a="b"}', ['a="b"']),
        ('{a="b",c=~"d.*",}', ['a="b"', 'c=~"d.*"']),
        (' { a="b" , c!="d" } ', ['a="b"', 'c!="d"']),
        ('a=~"x{1,2}",b="y"', ['a=~"x{1,2}"', 'b="y"']),
        ("a=~x{2}", ['a=~"x{2}"']),
        (r'a="\\",b="c"', [r'a="\\"', 'b="c"']),
    ],
)
def test_several_matchers_stand_between_commas(text: str, expected: list[str]) -> None:
    found = parse_all(text)
    assert [to_text(matcher) for matcher in found] == expected
    assert parse_all(all_to_text(found)) == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("severity", '\'severity\' is no matcher. Write it as severity="critical" or node=~"gpu-.*".'),
        ("", '\'\' is no matcher. Write it as severity="critical" or node=~"gpu-.*".'),
        ("=x", '\'=x\' is no matcher. Write it as severity="critical" or node=~"gpu-.*".'),
        ("a-b=x", "'a-b' names no label. A label's name is made of letters, digits and _."),
        ('a="x', 'A quote in "x is not closed, or needs a backslash before it.'),
        ('a="', 'A quote in " is not closed, or needs a backslash before it.'),
        (r'a="x\"', r'A quote in "x\" is not closed, or needs a backslash before it.'),
        ('a=x"y', 'A quote in x"y is not closed, or needs a backslash before it.'),
        ('a="x"y"', 'A quote in "x"y" is not closed, or needs a backslash before it.'),
        ("a=~(", "'(' is no regular expression: missing ): (."),
        (r"a=~\p{L}{200}", r"'\p{L}{200}' is no regular expression: pattern too large - compile failed."),
        ("a=~x(?=y)", "'x(?=y)' is no regular expression: invalid perl operator: (?=."),
    ],
)
def test_what_is_no_matcher_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(MatcherError) as caught:
        parse(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", ['{a="b"', 'a="b"}', "a=b,,c=d", ",", "{,}"])
def test_missing_braces_and_parts_are_refused(text: str) -> None:
    with pytest.raises(MatcherError):
        parse_all(text)


def test_expressions_are_anchored_and_a_missing_label_is_empty() -> None:
    labels = {"node": "gpu-1", "note": "a\nb"}
    expected = {
        'node=~"gpu"': False,
        'node=~"gpu.*"': True,
        'node=~"x|gpu-1"': True,
        'node!~"gpu"': True,
        'node!~"gpu-."': False,
        'note=~"a.b"': False,
        'note=~"(?s)a.b"': True,
        'other=""': True,
        'other!=""': False,
        'other=~".*"': True,
        'other=~".+"': False,
        'other!~".+"': True,
        'other!="x"': True,
    }
    assert {text: parse(text).matches(labels) for text in expected} == expected
    assert [parse(text).matches_empty() for text in ('a=~".*"', 'a!="x"', 'a="x"', 'a!~"x|"')] == [
        True,
        True,
        False,
        False,
    ]


def test_an_expression_cannot_run_for_ever() -> None:
    assert not parse("a=~(x+)+y").matches({"a": "x" * 50_000})


def test_the_api_has_matchers_as_objects() -> None:
    for op in Op:
        matcher = Matcher("a", op, "b")
        assert of_json(to_json(matcher)) == matcher
    assert of_json({"name": "a", "value": "b", "isRegex": True}) == Matcher("a", Op.REGEX, "b")
    assert to_json(Matcher("a", Op.NOT_REGEX, "b")) == {"name": "a", "value": "b", "isRegex": True, "isEqual": False}


@pytest.mark.parametrize(
    "document",
    [
        "a=b",
        {},
        {"name": "a", "value": 1, "isRegex": False},
        {"name": "a", "value": "b"},
        {"name": "a", "value": "b", "isRegex": "no"},
        {"name": "a", "value": "b", "isRegex": False, "isEqual": None},
        {"name": "", "value": "b", "isRegex": False},
        {"name": "a", "value": "(", "isRegex": True},
        {"name": "a", "value": "\ud800", "isRegex": True},
        {"name": "a", "value": "x" * 5000, "isRegex": True},
    ],
)
def test_what_is_no_matcher_object_is_refused(document: object) -> None:
    with pytest.raises(MatcherError):
        of_json(document)

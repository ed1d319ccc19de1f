"""The routing tree as Alertmanager has it: inheritance, the first match, continue, groups and inhibition."""

from typing import Any

import pytest
import yaml

from monitoring.alerts import routing
from monitoring.alerts.routing import InhibitRule, Route, group_labels, inhibit_rules_of, matched, route_of

TREE = """
receiver: default
group_by: [alertname, team]
routes:
  - matchers: ['severity="critical"']
    receiver: pager
    group_wait: 0s
    continue: true
  - match: {team: vision}
    match_re: {severity: crit.*|warning}
    receiver: vision
    group_by: [...]
    group_interval: 1m
    routes:
      - {matchers: [node=~"gpu-.*"], group_by: [node], repeat_interval: 1h30m}
      - {matchers: ['{node!="",zone="a"}'], receiver: zone-a}
  - {matchers: [team="vision"], receiver: rest}
"""


def tree(text: str = TREE) -> Route:
    return route_of(yaml.safe_load(text))


def receivers(**labels: str) -> list[str]:
    return [route.receiver for route in matched(tree(), labels)]


def test_a_route_inherits_what_it_does_not_say() -> None:
    by_path = {route.path: route for route in routing.every(tree())}
    told = {
        path: (route.receiver, route.group_by, route.group_wait_s, route.group_interval_s, route.repeat_interval_s)
        for path, route in by_path.items()
    }
    vision = '{}/{severity=~"crit.*|warning",team="vision"}'
    assert told == {
        "{}": ("default", ("alertname", "team"), 30.0, 300.0, 14_400.0),
        '{}/{severity="critical"}': ("pager", ("alertname", "team"), 0.0, 300.0, 14_400.0),
        vision: ("vision", None, 30.0, 60.0, 14_400.0),
        vision + '/{node=~"gpu-.*"}': ("vision", ("node",), 30.0, 60.0, 5400.0),
        vision + '/{node!="",zone="a"}': ("zone-a", None, 30.0, 60.0, 14_400.0),
        '{}/{team="vision"}': ("rest", ("alertname", "team"), 30.0, 300.0, 14_400.0),
    }


def test_siblings_of_the_same_matchers_are_told_apart() -> None:
    root = tree("{receiver: r, routes: [{matchers: [a=b]}, {matchers: [c=d]}, {match: {a: b}, routes: [{}, {}]}]}")
    assert [route.path for route in routing.every(root)] == [
        "{}",
        '{}/{a="b"}',
        '{}/{c="d"}',
        '{}/{a="b"}/1',
        '{}/{a="b"}/1/{}',
        '{}/{a="b"}/1/{}/1',
    ]


def test_the_first_match_wins_unless_it_continues() -> None:
    assert receivers() == ["default"]
    assert receivers(severity="critical") == ["pager"]
    assert receivers(severity="critical", team="vision") == ["pager", "vision"]
    assert receivers(severity="warning", team="vision", node="x", zone="a") == ["zone-a"]
    assert receivers(severity="info", team="vision") == ["rest"]


def test_continue_holds_on_the_level_on_which_it_stands() -> None:
    root = tree(
        """
        receiver: r
        routes:
          - receiver: a
            matchers: [x=1]
            routes: [{receiver: a1, matchers: [y=1], continue: true}, {receiver: a2, matchers: [y=1]}]
          - {receiver: b, matchers: [x=1]}
        """
    )
    assert [route.receiver for route in matched(root, {"x": "1", "y": "1"})] == ["a1", "a2"]
    assert [route.receiver for route in matched(root, {"x": "1"})] == ["a"]


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        (None, {}),
        (["node", "missing"], {"node": "a"}),
        (["..."], {"alertname": "X", "node": "a"}),
        ([], {}),
    ],
)
def test_a_group_has_the_labels_that_its_alerts_share(group_by: list[str] | None, expected: dict[str, str]) -> None:
    document: dict[str, Any] = {"receiver": "r"} | ({"group_by": group_by} if group_by is not None else {})
    assert group_labels(route_of(document), {"alertname": "X", "node": "a"}) == expected


def test_an_inhibit_rule_takes_old_and_new_matchers() -> None:
    rules = inhibit_rules_of(
        yaml.safe_load(
            """
            - {source_match: {severity: critical}, target_match_re: {severity: warn.*}, equal: [node]}
            - {source_matchers: ['a="b", c="d"'], target_matchers: [e=f], strict: true, equal: [x, y]}
            """
        )
    )
    lenient, strict = rules
    assert lenient.is_source({"severity": "critical"})
    assert lenient.is_target({"severity": "warning"})
    assert not lenient.is_target({"severity": "a warning"})
    assert lenient.agreement({}) == ("",)
    assert strict.is_source({"a": "b", "c": "d"})
    assert not strict.is_source({"a": "b"})
    assert strict.agreement({"x": "1"}) is None
    assert strict.agreement({"x": "1", "y": "2"}) == ("1", "2")
    assert inhibit_rules_of([{}]) == (InhibitRule((), ()),)

"""Trees in the configuration file: applied together, refused with file, line and key, written back as they were."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks

from fleetledger.fleet import config
from fleetledger.fleet.models import Team
from monitoring.alerts import trees
from monitoring.alerts.models import Alert, Destination, Group, Tree
from tests.alerts.world import set_clock

pytestmark = pytest.mark.django_db
WHOLE = """\
teams: [{slug: acme}, {slug: other}]
route:
  receiver: default
  group_by: [alertname, team]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - receiver: pager
      group_wait: 0s
      matchers: [severity="critical", 'node=~"gpu-.*"']
      continue: true
    - match: {team: vision}
      match_re: {severity: "warn.*|info"}
      group_by: ["..."]
      routes: [{receiver: mail, matchers: [zone!=""]}]
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity=~"warning|info"], equal: [node], strict: true}
  - {source_match: {alertname: NodeDown}, target_match_re: {alertname: Gpu.*}, equal: [node]}
receivers:
  - name: default
    webhook: [{url: "http://127.0.0.1:9/x"}]
    email: [{to: sre@example.org}]
    apprise: [{url: "json://127.0.0.1:9/x"}]
  - name: pager
    fallback: mail
    pagerduty: [{routing_key: {env: PAGERDUTY_KEY}, severity: critical}]
    slack: [{url: {file: /run/secrets/slack}, channel: "#gpu", canary: 24h}]
    webhook:
      - {url: {env: HOOK}, secret: {env: HOOK_SECRET}, headers: {X-Tenant: a, Authorization: {env: HOOK_TOKEN}}}
      - {url: "https://hooks.example.org/in", send_resolved: false, max_alerts: 10, ca_file: /etc/ssl/own.pem}
  - name: mail
    email:
      - to: [sre@example.org, "Mira <mira@example.org>"]
        from: Fleetledger <alerts@example.org>
        smarthost: mail.example.org:587
        auth_username: alerts
        auth_password: {file: /run/secrets/smtp}
        require_tls: true
alerting:
  - team: acme
    route: {receiver: acme, group_by: [alertname]}
    receivers: [{name: acme, webhook: [{url: "http://127.0.0.1:9/acme"}]}]
"""
MINIMAL = "route: {receiver: r}\nreceivers: [{name: r}]\n"
HINT = "A secret never stands in the file: write {env: NAME} or {file: PATH}."


def apply(text: str, *, dry_run: bool = False) -> config.Outcome:
    return config.apply([("fleet.yaml", text)], dry_run=dry_run)


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def mistakes(text: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        apply(text)
    return str(caught.value).splitlines()


def test_trees_are_brought_in_and_shown() -> None:
    assert lines(WHOLE)[2:] == [
        (
            "+ receiver platform/default: webhook [{url: http://127.0.0.1:9/x}], "
            "email [{to: sre@example.org}], apprise [{url: json://127.0.0.1:9/x}]"
        ),
        (
            "+ receiver platform/pager: fallback mail, pagerduty [{routing_key: {env: PAGERDUTY_KEY}, "
            "severity: critical}], slack [{url: {file: /run/secrets/slack}, channel: #gpu, canary: 24h}], "
            "webhook [{url: {env: HOOK}, secret: {env: HOOK_SECRET}, headers: {X-Tenant: a, "
            "Authorization: {env: HOOK_TOKEN}}}, {url: https://hooks.example.org/in, send_resolved: no, "
            "max_alerts: 10, ca_file: /etc/ssl/own.pem}]"
        ),
        (
            "+ receiver platform/mail: email [{to: [sre@example.org, Mira <mira@example.org>], "
            "from: Fleetledger <alerts@example.org>, smarthost: mail.example.org:587, auth_username: alerts, "
            "auth_password: {file: /run/secrets/smtp}, require_tls: yes}]"
        ),
        (
            "+ route platform/{}: receiver default, group_by [alertname, team], group_wait 30s, "
            "group_interval 5m, repeat_interval 4h"
        ),
        '+ route platform/{}/{node=~"gpu-.*",severity="critical"}: receiver pager, group_wait 0s, continue yes',
        '+ route platform/{}/{severity=~"warn.*|info",team="vision"}: group_by [...]',
        '+ route platform/{}/{severity=~"warn.*|info",team="vision"}/{zone!=""}: receiver mail',
        '+ inhibit rule platform/{severity="critical"} over {severity=~"warning|info"}: equal [node], strict yes',
        '+ inhibit rule platform/{alertname="NodeDown"} over {alertname=~"Gpu.*"}: equal [node]',
        "+ receiver acme/acme: webhook [{url: http://127.0.0.1:9/acme}]",
        "+ route acme/{}: receiver acme, group_by [alertname]",
    ]


def test_the_second_time_nothing_changes() -> None:
    apply(WHOLE)
    versions = list(Tree.objects.order_by("pk").values_list("version", flat=True))
    assert apply(WHOLE).changes == ()
    assert list(Tree.objects.order_by("pk").values_list("version", flat=True)) == versions == [1, 1]


def test_what_is_exported_is_what_was_applied() -> None:
    apply(WHOLE)
    exported = config.export()
    applied = yaml.safe_load(WHOLE)
    assert {key: value for key, value in yaml.safe_load(exported).items() if key != "teams"} == {
        key: value for key, value in applied.items() if key != "teams"
    }
    assert exported.index("receiver: default") < exported.index("group_wait: 30s") < exported.index("matchers:")
    assert apply(exported).changes == ()
    Tree.objects.all().delete()
    Team.objects.all().delete()
    apply(exported)
    assert config.export() == exported


def test_the_schema_takes_the_file_and_its_export() -> None:
    apply(WHOLE)
    validator = Draft202012Validator(config.json_schema())
    for text in (WHOLE, config.export()):
        assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []
    assert list(validator.iter_errors({"route": {"receiver": "r", "routes": [{"routes": [{"reciever": "x"}]}]}}))
    assert list(validator.iter_errors({"alerting": [{"team": "a", "route": {"receiver": "r", "routes": [{"x": 1}]}}]}))


def test_a_dry_run_changes_nothing() -> None:
    apply(MINIMAL)
    outcome = apply(WHOLE, dry_run=True)
    assert len(outcome.changes) > 5
    assert trees.tree_for(None).route.receiver == "r"
    assert Tree.objects.get().version == 1


def test_the_default_tree_that_nobody_applied_is_not_exported() -> None:
    trees.tree_for(None)
    assert yaml.safe_load(config.export()) is None
    assert lines(MINIMAL) == ["+ receiver platform/r", "+ route platform/{}: receiver r"]


def test_a_part_that_the_file_leaves_out_stays() -> None:
    apply(WHOLE)
    assert lines("route: {receiver: mail, group_by: [alertname, team], group_wait: 10s}\n") == [
        (
            "~ route platform/{}: receiver default -> mail, group_wait 30s -> 10s, "
            "group_interval 5m -> none, repeat_interval 4h -> none"
        ),
        '- route platform/{}/{node=~"gpu-.*",severity="critical"}',
        '- route platform/{}/{severity=~"warn.*|info",team="vision"}',
        '- route platform/{}/{severity=~"warn.*|info",team="vision"}/{zone!=""}',
    ]
    assert lines("inhibit_rules: []\n") == [
        '- inhibit rule platform/{severity="critical"} over {severity=~"warning|info"}',
        '- inhibit rule platform/{alertname="NodeDown"} over {alertname=~"Gpu.*"}',
    ]
    assert lines("receivers: [{name: mail, email: [{to: sre@example.org}]}]\n") == [
        (
            "~ receiver platform/mail: email [{to: [sre@example.org, Mira <mira@example.org>], "
            "from: Fleetledger <alerts@example.org>, smarthost: mail.example.org:587, auth_username: alerts, "
            "auth_password: {file: /run/secrets/smtp}, require_tls: yes}] -> [{to: sre@example.org}]"
        ),
        "- receiver platform/default",
        "- receiver platform/pager",
    ]
    live = Destination.objects.filter(tree__team=None, removed_at=None)
    assert [row.config for row in live] == [{"to": "sre@example.org"}]
    assert mistakes("inhibit_rules: []\nreceivers: [{name: sms}]\n") == [
        "fleet.yaml:1: inhibit_rules: No receiver is called 'mail'. Known: sms."
    ]


def test_receivers_of_several_files_are_one_list_and_a_route_stands_in_one() -> None:
    files = [("a.yaml", "route: {receiver: r}\nreceivers: [{name: s}]"), ("b.yaml", "receivers: [{name: r}]")]
    assert len(config.apply(files).changes) == 3
    with pytest.raises(config.ConfigError) as caught:
        config.apply([*files, ("c.yaml", "\nroute: {receiver: s}")])
    assert str(caught.value) == "c.yaml:2: route: This section stands in another file already."
    with pytest.raises(config.ConfigError) as caught:
        config.apply([*files, ("c.yaml", "receivers:\n- {name: t}\n- {name: r}")])
    assert str(caught.value) == "c.yaml:3: receivers[3].name: The receiver 'r' stands twice."


def test_another_order_of_routes_is_a_change() -> None:
    head = "receivers: [{name: r}, {name: s}]\nroute:\n  receiver: r\n  routes:\n"
    one, two = "  - {matchers: [a=b], receiver: s}\n", "  - {matchers: [c=d]}\n"
    apply(head + one + two)
    assert lines(head + two + one) == ["~ routing platform: order"]


def test_an_empty_file_of_parts_asks_for_nothing() -> None:
    assert lines("route:\ninhibit_rules: []\nreceivers: []\nalerting: []\n") == []
    assert Tree.objects.count() == 0


def test_a_team_has_its_own_tree_and_gives_it_back() -> None:
    apply(WHOLE)
    acme = Team.objects.get(slug="acme")
    assert trees.tree_for(acme.pk).route.receiver == "acme"
    assert lines("alerting: [{team: acme, inhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d]}]}]") == [
        '+ inhibit rule acme/{a="b"} over {c="d"}: equal none'
    ]
    assert lines("alerting: []") == []
    assert lines("alerting: [{team: acme, route: null}]") == [
        "- receiver acme/acme",
        "- route acme/{}",
        '- inhibit rule acme/{a="b"} over {c="d"}',
    ]
    assert trees.tree_for(acme.pk).route.receiver == "default"
    assert "alerting" not in yaml.safe_load(config.export())
    assert lines("alerting: [{team: acme, route: null}]") == []


def test_what_is_wrong_now_joins_the_groups_of_the_new_tree(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    now = set_clock()
    apply("teams: [{slug: acme}]\n" + MINIMAL)
    acme = Team.objects.get(slug="acme")
    for team, state in ((None, "firing"), (acme, "firing"), (acme, "resolved")):
        Alert.objects.create(
            team=team,
            fingerprint=f"{state:>16}",
            name="GpuIdle",
            labels={"alertname": "GpuIdle", "state": state},
            state=state,
            starts_at=now,
            ended_at=now if state == "resolved" else None,
            changed_at=now,
        )
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        apply(WHOLE)
    found = Group.objects.order_by("team").values_list("team", "receiver", "route", "labels", "members__alert__state")
    assert list(found) == [
        (acme.pk, "acme", "{}", {"alertname": "GpuIdle"}, "firing"),
        (None, "default", "{}", {"alertname": "GpuIdle"}, "firing"),
    ]
    assert len(callbacks) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "route: {receiver: r}",
            ["fleet.yaml:1: route.receiver: No receiver is called 'r'. Add it under 'receivers'."],
        ),
        (
            "receivers: [{name: r}]",
            ["fleet.yaml:1: receivers: 'route' is missing: it says who is told. Add route: {receiver: NAME}."],
        ),
        ("route: {group_by: [a]}", ["fleet.yaml:1: route: 'receiver' is missing."]),
        (
            "receivers: [{name: pager}]\nroute:\n  receiver: pager\n  routes:\n  - routes:\n    - receiver: pagr\n",
            [
                (
                    "fleet.yaml:6: route.routes[0].routes[0].receiver: No receiver is called 'pagr'. "
                    "Did you mean 'pager'? Known: pager."
                )
            ],
        ),
        (
            "receivers: [{name: r}]\nroute:\n  receiver: r\n  routes:\n  - matchers:\n    - a=b\n    - c~d\n",
            [
                (
                    "fleet.yaml:7: route.routes[0].matchers[1]: 'c~d' is no matcher. "
                    'Write it as severity="critical" or node=~"gpu-.*".'
                )
            ],
        ),
        (
            "receivers: [{name: r}]\nroute:\n  receiver: r\n  routes:\n  - match_re:\n      a: (\n",
            ["fleet.yaml:6: route.routes[0].match_re.a: '(' is no regular expression: missing ): (."],
        ),
        (
            "receivers: [{name: r}]\nroute:\n  receiver: r\n  matchers: [a=b]\n",
            [
                (
                    "fleet.yaml:4: route.matchers: The first route takes every alert, so it has no 'matchers'. "
                    "Put it under 'routes'."
                )
            ],
        ),
        (
            "receivers: [{name: r}]\nroute:\n  receiver: r\n  group_interval: 0s\n  group_wait: 0s\n",
            ["fleet.yaml:4: route.group_interval: 'group_interval' is longer than nothing. Write it as 5m."],
        ),
        (
            "receivers: [{name: r}]\nroute:\n  receiver: r\n  group_by: [a, ...]\n  routes:\n  - group_by: [b, a-b, b]",
            [
                "fleet.yaml:4: route.group_by: '...' stands for all labels, so it stands alone.",
                (
                    "fleet.yaml:6: route.routes[0].group_by[1]: 'a-b' names no label. "
                    "A label's name is made of letters, digits and _."
                ),
                "fleet.yaml:6: route.routes[0].group_by[2]: The label 'b' stands twice.",
            ],
        ),
        (
            "receivers: [{name: r}]\nroute:\n  receiver: r\n  routes:\n  - matchers: a=b\n    match: {zone: 1}\n",
            [
                "fleet.yaml:5: route.routes[0].matchers: This must be a list, not 'a=b'.",
                "fleet.yaml:6: route.routes[0].match.zone: This must be a text, not '1'. Put it in quotes.",
            ],
        ),
        (
            MINIMAL + "inhibit_rules:\n- {source_matchers: [a=b]}\n- {target_match: {c: d}, equal: [a b]}\n",
            [
                (
                    "fleet.yaml:4: inhibit_rules[0]: An inhibit rule needs 'target_matchers': "
                    "without them it is about every alert."
                ),
                (
                    "fleet.yaml:5: inhibit_rules[1]: An inhibit rule needs 'source_matchers': "
                    "without them it is about every alert."
                ),
                (
                    "fleet.yaml:5: inhibit_rules[1].equal[0]: 'a b' names no label. "
                    "A label's name is made of letters, digits and _."
                ),
            ],
        ),
        (
            "route: {receiver: r}\nreceivers:\n- {name: r, fallback: r}\n- {name: s, fallback: t}\n- {name: r}\n",
            [
                (
                    "fleet.yaml:3: receivers[0].fallback: A receiver that cannot be told cannot be its own fallback. "
                    "Name another one."
                ),
                "fleet.yaml:4: receivers[1].fallback: No receiver is called 't'. Known: r, s, r.",
                "fleet.yaml:5: receivers[2].name: The receiver 'r' stands twice.",
            ],
        ),
        (
            "alerting:\n- team: ghost\n  route: {receiver: r}\n",
            ["fleet.yaml:2: alerting[0].team: No team is called 'ghost'. Add it under 'teams'."],
        ),
        (
            "teams: [{slug: a}]\nalerting:\n- team: a\n  route: {receiver: r}\n",
            ["fleet.yaml:4: alerting[0].route.receiver: No receiver is called 'r'. Add it under 'receivers'."],
        ),
        (
            "teams: [{slug: a}]\nalerting:\n- {team: a, route: null, receivers: [{name: r}]}\n",
            [
                (
                    "fleet.yaml:3: alerting[0].receivers: Without a route there are no receivers. "
                    "Take them out, or add a route."
                )
            ],
        ),
        (
            (
                "teams: [{slug: a}]\nalerting:\n- {team: a, route: {receiver: r}, receivers: [{name: r}]}\n"
                "- {team: a, route: {receiver: r}}\n"
            ),
            ["fleet.yaml:4: alerting[1].team: The tree of the team 'a' stands twice."],
        ),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(text: str, expected: list[str]) -> None:
    assert mistakes(text) == expected
    assert Tree.objects.count() == 0


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("pagerduty: [{routing_key: abc}]", ["pagerduty[0].routing_key: " + HINT]),
        ("webhook: [{url: 'http://x/', secret: abc}]", ["webhook[0].secret: " + HINT]),
        ("email: [{to: a@b.c, auth_username: u, auth_password: pw}]", ["email[0].auth_password: " + HINT]),
        ("webhook: [{url: 'http://u:pw@x/'}]", ["webhook[0].url: This address holds a secret. " + HINT]),
        ("webhook: [{url: 'http://x/?token=abc'}]", ["webhook[0].url: This address holds a secret. " + HINT]),
        (
            "slack: [{url: 'https://hooks.slack.com/services/T/B/x'}]",
            ["slack[0].url: This address holds a secret. " + HINT],
        ),
        ("webhook: [{url: 'http://x/', headers: {X-Api-Key: abc}}]", ["webhook[0].headers.X-Api-Key: " + HINT]),
        ("webhook: [{url: 'http://x/', headers: {X-Api-Key: 3}}]", ["webhook[0].headers.X-Api-Key: " + HINT]),
        (
            "apprise: [{url: 'tgram://123:abc/1'}]",
            ["apprise[0].url: An address of tgram:// is made of its token. " + HINT],
        ),
        ("apprise: [{url: 'mailto://u:pw@x'}]", ["apprise[0].url: This address holds a secret. " + HINT]),
        (
            "webhook: [{url: example.org}]",
            [
                (
                    "webhook[0].url: This does not fit. "
                    "Write: http://HOST:PORT/PATH; where it holds a secret {env: NAME} or {file: PATH}."
                )
            ],
        ),
        ("webhook: [{url: 'http://x:99999/'}]", ["webhook[0].url: This is no address. Write http://HOST:PORT/PATH."]),
        ("webhook: [{}]", ["webhook[0]: 'url' is missing."]),
        ("email: [{to: nobody}]", ["email[0].to: This is no mail address. Write it as sre@example.org."]),
        (
            "email: [{to: a@b.c, auth_password: {env: P}}]",
            ["email[0].auth_password: A password belongs to a user. Add 'auth_username'."],
        ),
        (
            "email: [{to: a@b.c, smarthost: mail}]",
            ["email[0].smarthost: 'mail' does not fit. Write: The mail server as HOST:PORT."],
        ),
        (
            "webhook_configs: [{url: 'http://x/'}]",
            [
                (
                    "webhook_configs: No key is called 'webhook_configs'. Did you mean 'webhook'? "
                    "Known: name, fallback, webhook, email, slack, pagerduty, apprise."
                )
            ],
        ),
    ],
)
def test_a_receiver_is_checked_and_holds_no_secret(entry: str, expected: list[str]) -> None:
    found = mistakes(f"route: {{receiver: r}}\nreceivers:\n- name: r\n  {entry}\n")
    assert found == [f"fleet.yaml:4: receivers[0].{line}" for line in expected]


def test_the_readmes_example_applies() -> None:
    words = (Path(__file__).parents[2] / "README.md").read_text()
    example = words.split("### Who is told of an alert")[1].split("```yaml\n")[1].split("```")[0]
    apply("teams: [{slug: vision}]")
    assert len(apply(example).changes) == 7

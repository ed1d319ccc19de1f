"""Whatever an alertmanager.yml holds, it is taken over, named as left, or refused in a sentence; never dropped."""

import copy
import random
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from fleetledger.fleet import config
from monitoring.alerts import trees
from monitoring.alerts.moving_in import Converted, convert
from tests.alerts.test_moving_in import OURS, SECRET_WORDS, every_key_is_carried_or_named
from tests.alerts.world import set_clock

MUTATIONS = 120
ODD_VALUES: tuple[Any, ...] = ("", "x", "7", None, [], {}, ["x"], [["x"]], {"a": "b"}, {"a": ["b"]}, "z" * 5000)


def one(channel: str, **more: Any) -> Converted:
    """A file with one receiver that has these channels."""
    receiver = {"name": "a", **yaml.safe_load(channel)}
    return convert(yaml.safe_dump({**more, "route": {"receiver": "a"}, "receivers": [receiver]}, sort_keys=False))


def receiver_of(found: Converted) -> dict[str, Any]:
    receiver: dict[str, Any] = yaml.safe_load(found.configuration)["receivers"][0]
    return receiver


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (
            "discord_configs: [{webhook_url: 'https://discord.com/api/webhooks/12/abc'}]",
            "https://discord.com/api/webhooks/12/abc",
        ),
        ("telegram_configs: [{bot_token: '12:ab', chat_id: -100}]", "tgram://12:ab/-100"),
        (
            "opsgenie_configs: [{api_key: 1111-22, api_url: 'https://api.eu.opsgenie.com/'}]",
            "opsgenie://1111-22?region=eu",
        ),
        (
            "pushover_configs: [{user_key: u0123456789012345678901234567s, token: a/b}]",
            "pover://u0123456789012345678901234567s@a%2Fb",
        ),
        ("victorops_configs: [{api_key: k-1, routing_key: r}]", "victorops://r@k-1"),
        (
            "rocketchat_configs: [{token_id: u, token: t, channel: '#alerts', api_url: 'http://chat.lan:3000/'}]",
            "rocket://u:t@chat.lan:3000/%23alerts?mode=token",
        ),
    ],
)
def test_a_service_becomes_an_address_that_apprise_knows(channel: str, address: str) -> None:
    found = one(channel)
    assert list(found.secrets.values()) == [address]
    assert receiver_of(found)["apprise"][0]["url"] == {"env": next(iter(found.secrets))}
    assert found.silent == ()


def test_values_for_all_are_taken_where_a_receiver_has_none_of_its_own() -> None:
    for_all = {"telegram_bot_token": "12:ab", "opsgenie_api_key": "33", "slack_api_url_file": "/run/slack"}
    found = one("telegram_configs: [{chat_id: 7}]\nslack_configs: [{channel: '#a'}]", **{"global": for_all})
    assert found.secrets == {"ALERTMANAGER_A_TELEGRAM_0_URL": "tgram://12:ab/7"}
    assert receiver_of(found)["slack"] == [{"url": {"file": "/run/slack"}, "channel": "#a", "send_resolved": False}]
    assert [(row.path, row.reason) for row in found.not_carried] == [
        ("global.opsgenie_api_key", "No receiver that was carried uses it.")
    ]


def test_a_receiver_that_is_given_up_counts_with_all_its_keys_as_not_carried() -> None:
    found = one("pushover_configs: [{user_key: u1, send_resolved: true}]", **{"global": {"resolve_timeout": "5m"}})
    assert found.carried == ("route.receiver", "receivers[0].name")
    assert [row.path for row in found.not_carried] == ["global.resolve_timeout", "receivers[0].pushover_configs[0]"]
    assert "user_key, token are missing" in found.not_carried[1].reason
    assert (found.silent, found.secrets) == (("a",), {})


def test_secrets_in_files_stay_in_files_or_are_told_how_to_get_into_one() -> None:
    found = one(
        "discord_configs: [{webhook_url_file: /run/d}]\ntelegram_configs: [{bot_token_file: /run/t, chat_id: 7}]"
    )
    assert receiver_of(found)["apprise"] == [{"url": {"file": "/run/d"}}]
    assert found.files == ("/run/d",)
    assert "Write the whole address into a file" in found.not_carried[0].reason


def test_headers_and_permissions_are_carried_as_references() -> None:
    found = one(
        """
webhook_configs:
  - url: https://hook.example.org/in
    http_config:
      authorization: {type: Token, credentials: abc}
      http_headers:
        X-Team: {values: [vision]}
        X-Api-Token: {values: [abc]}
        X-File: {files: [/run/h]}
        X-Two: {values: [a, b]}
      tls_config: {ca_file: /ca.pem, cert_file: /c.pem, server_name: other}
"""
    )
    (hook,) = receiver_of(found)["webhook"]
    assert hook == {
        "url": "https://hook.example.org/in",
        "ca_file": "/ca.pem",
        "headers": {
            "Authorization": {"env": "ALERTMANAGER_A_WEBHOOK_0_AUTHORIZATION"},
            "X-Api-Token": {"env": "ALERTMANAGER_A_WEBHOOK_0_X_API_TOKEN"},
            "X-File": {"file": "/run/h"},
            "X-Team": "vision",
        },
    }
    assert found.secrets["ALERTMANAGER_A_WEBHOOK_0_AUTHORIZATION"] == "Token abc"
    assert [row.path.rpartition(".")[2] for row in found.not_carried] == ["X-Two", "cert_file", "server_name"]


def test_durations_are_written_as_we_read_them() -> None:
    found = convert("route: {receiver: a, group_wait: 0, repeat_interval: 1y2w}\nreceivers: [{name: a}]")
    route = yaml.safe_load(found.configuration)["route"]
    assert route == {"receiver": "a", "group_wait": "0s", "repeat_interval": "54w1d"}
    with pytest.raises(config.ConfigError, match="does not fit"):
        convert("route: {receiver: a, repeat_interval: 999999999999y}\nreceivers: [{name: a}]")


def test_aliases_and_merged_keys_are_read_as_what_they_stand_for() -> None:
    found = convert(
        """
route: {receiver: a}
receivers:
  - name: a
    slack_configs:
      - &all {api_url: https://hooks.slack.com/services/x, channel: '#a'}
      - {<<: *all, channel: '#b'}
"""
    )
    assert [entry["channel"] for entry in receiver_of(found)["slack"]] == ["#a", "#b"]
    assert "*" not in found.configuration
    assert "&" not in found.configuration


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3000,
        "a: &a {<<: *a}",
        "a: &a [*a]",
        "\n".join(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(9)),
        "\n".join(
            [
                "k0: &a0 {x: 1}",
                *(f"k{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], x{n}: 1}}" for n in range(1, 9)),
            ]
        ),
        "a: &a " + "x" * 90_000 + "\nb: [" + ", ".join(["*a"] * 100) + "]",
    ],
    ids=["depth", "merged into itself", "within itself", "bomb", "bomb of merges", "bomb of texts"],
)
def test_a_file_that_grows_when_it_is_read_is_refused(text: str) -> None:
    with pytest.raises(config.ConfigError, match="The file is too deep or too large"):
        convert(text)
    with pytest.raises(config.ConfigError, match="longer than a million"):
        convert("x" * 1_000_001)


def test_whatever_is_wrong_in_a_file_is_said_without_showing_values() -> None:
    dice = random.Random(1128)
    whole = yaml.load(OURS.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 our own file
    refused: list[config.ConfigError] = []
    for _ in range(MUTATIONS):
        document = copy.deepcopy(whole)
        _change_something(document, dice)
        text = yaml.safe_dump(document, sort_keys=False)
        try:
            found = convert(text)
        except config.ConfigError as error:
            refused.append(error)
        else:
            every_key_is_carried_or_named(text, found)
            assert not any(word in found.configuration for word in SECRET_WORDS)
    assert 20 < len(refused) < MUTATIONS - 20
    for one_error in refused:
        assert not any(word in str(one_error) for word in SECRET_WORDS), str(one_error)
        assert all(issue.place.line > 1 or len(issue.path) < 2 for issue in one_error.issues), str(one_error)


def _change_something(document: Any, dice: random.Random) -> None:
    """Walk down by chance, and put something odd in the place of what is there."""
    place, key = document, dice.choice(sorted(document))
    while isinstance(place[key], dict | list) and place[key] and dice.random() < 0.85:
        place = place[key]
        key = dice.choice(sorted(place)) if isinstance(place, dict) else dice.randrange(len(place))
    place[key] = dice.choice(ODD_VALUES)


def test_many_mistakes_are_said_as_the_first_twenty() -> None:
    routes = "\n".join(f"    - receiver: none{number}" for number in range(3000))
    with pytest.raises(config.ConfigError) as caught:
        convert(f"route:\n  receiver: a\n  routes:\n{routes}\nreceivers: [{{name: a}}]")
    assert len(caught.value.issues) == 20
    assert str(caught.value.issues[0]).startswith("alertmanager.yml:4: route.routes[0].receiver: No receiver is called")


def test_lines_stay_right_after_something_was_left_out() -> None:
    text = """\
route:
  receiver: a
  routes:
    - match_re: {x: '(?=left out)'}
    - receiver: a
      group_wait: 10s
    - receiver: a
      group_by: [x, x]
receivers: [{name: a}]
"""
    with pytest.raises(config.ConfigError, match=r"alertmanager.yml:8: route.routes\[1\].group_by.* stands twice"):
        convert(text)


@pytest.mark.django_db
def test_what_is_stored_and_does_not_stand_in_the_file_is_taken_out() -> None:
    set_clock()
    call_command("import-alertmanager", str(OURS), stdout=StringIO())
    assert trees.tree_for(None).inhibit_rules
    config.apply([("new", convert("route: {receiver: a}\nreceivers: [{name: a}]").configuration)])
    tree = trees.tree_for(None)
    assert (tree.receivers, tree.inhibit_rules, tree.time_intervals) == (("a",), (), ())


@pytest.mark.django_db
def test_a_file_of_other_secrets_is_never_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "production.env"
    there.write_text("OTHER=1\n")
    with pytest.raises(CommandError, match="is there already"):
        call_command("import-alertmanager", str(OURS), secrets_file=str(there), stdout=StringIO())
    assert (there.read_text(), trees.tree_for(None).version) == ("OTHER=1\n", 0)
    file = tmp_path / "alertmanager.yml"
    channel = 'pagerduty_configs: [{routing_key: "one\\ntwo"}]'
    file.write_text(f"route: {{receiver: a}}\nreceivers: [{{name: a, {channel}}}]")
    with pytest.raises(CommandError, match="ALERTMANAGER_A_PAGERDUTY_0_ROUTING_KEY has several lines"):
        call_command("import-alertmanager", str(file), secrets_file=str(tmp_path / "new.env"), stdout=StringIO())


@pytest.mark.django_db
def test_a_team_that_nobody_knows_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    secrets = tmp_path / "new.env"
    with pytest.raises(CommandError, match=r"what became of .*No team"):
        call_command("import-alertmanager", str(OURS), team="none", secrets_file=str(secrets), stdout=StringIO())
    assert not secrets.exists()

"""How people are reached, in the configuration file: brought in, refused with file, line and key, written back."""

import pytest
import yaml

from fleetledger.fleet import config
from fleetledger.fleet.config.shapes import SECRET_HINT
from fleetledger.fleet.models import User
from monitoring.alerts.contacts import methods
from monitoring.alerts.escalation.ways import ways_to
from monitoring.alerts.models import ContactMethod, Destination
from tests import world as fleet
from tests.alerts import world

pytestmark = pytest.mark.django_db
WHOLE = """\
contacts:
  - user: mira
    methods:
      - {name: Mail, email: {to: mira@example.org}, verified: true}
      - {name: Chat, slack: {url: {env: MIRA_SLACK}, channel: "#mira"}}
      - {name: Phone, webhook: {url: "https://phone.example.org/m", secret: {file: /run/secrets/m}}, verified: true}
    rules:
      - {method: Mail}
      - {method: Phone, after: 5m}
    quiet_hours: {from: "22:00", until: "07:00", days: [mon, tue, wed, thu, fri]}
"""


@pytest.fixture(autouse=True)
def mira() -> User:
    world.set_clock()
    return fleet.user("mira")


def lines(text: str) -> list[str]:
    return [str(change) for change in config.apply([("fleet.yaml", text)]).changes]


def refused(contact: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        lines(f"contacts:\n  - {contact}\n")
    return [line.removeprefix("fleet.yaml:2: contacts[0]") for line in str(caught.value).splitlines()]


def labels() -> list[str]:
    return list(ContactMethod.objects.filter(removed_at=None).order_by("position").values_list("label", flat=True))


def test_methods_rules_and_quiet_hours_are_brought_in_shown_and_used(mira: User) -> None:
    assert lines(WHOLE) == [
        "+ contact method mira's Mail: email mira@example.org",
        "+ contact method mira's Chat: slack as the configuration says",
        "+ contact method mira's Phone: webhook https://phone.example.org/…",
        "~ notification rules of mira: 0 -> 2 rules",
        "~ quiet hours of mira: 22:00 to 07:00",
    ]
    assert [(way.label, way.after_s) for way in ways_to(mira, "critical", world.START).methods] == [
        ("Mail", 0),
        ("Phone", 300),
    ]
    assert Destination.objects.get(contact__label="Chat").config == {"url": {"env": "MIRA_SLACK"}, "channel": "#mira"}
    assert lines(WHOLE) == []


def test_what_is_written_back_applies_as_no_change(mira: User) -> None:
    lines(WHOLE)
    written = config.export()
    assert yaml.safe_load(WHOLE)["contacts"] == yaml.safe_load(written)["contacts"]
    assert lines(written) == []
    methods.add(mira, "webhook", {"url": "https://own.example.org/secret"}, "Own")
    again = config.export()
    assert "own.example.org" not in again
    assert lines(again) == []
    assert labels() == ["Mail", "Chat", "Phone", "Own"]


def test_another_address_must_be_verified_anew_and_the_order_is_the_files() -> None:
    lines(WHOLE)
    changed = """\
contacts:
  - user: mira
    methods:
      - {name: Phone, webhook: {url: "https://phone.example.org/m", secret: {file: /run/secrets/m}}}
      - {name: Mail, email: {to: new@example.org}}
    rules: null
    quiet_hours: null
"""
    assert lines(changed) == [
        "~ contact method mira's Mail: email mira@example.org -> email new@example.org",
        "~ contact methods of mira: another order",
        "~ notification rules of mira: 2 -> 0 rules",
        "~ quiet hours of mira: none any more",
    ]
    assert labels() == ["Phone", "Chat", "Mail"]
    assert ContactMethod.objects.get(label="Mail").verified_at is None
    assert ContactMethod.objects.get(label="Phone").verified_at == world.START


def test_what_is_wrong_is_refused_with_its_place() -> None:
    assert refused("{user: nobody}") == [".user: Nobody is called 'nobody'. Make the user, or name it in a team."]
    assert refused("{user: mira, methods: [{name: A}]}") == [
        ".methods[0]: A contact method is one of apprise, email, pagerduty, slack, webhook. Give exactly one of them."
    ]
    assert refused('{user: mira, methods: [{name: A, slack: {url: "https://hooks.slack.com/services/T/B/x"}}]}') == [
        f".methods[0].slack.url: This address holds a secret. {SECRET_HINT}"
    ]
    assert refused("{user: mira, methods: [{name: A, email: {to: x}}]}")[0].startswith(".methods[0].email.to: ")
    assert refused("{user: mira, rules: [{method: B}]}") == [
        ".rules[0].method: mira has no contact method 'B'. Known: none."
    ]
    assert refused("{user: mira, methods: [{name: A, webhook: {url: {sealed: x}}}]}")[0].startswith(
        ".methods[0].webhook.url"
    )
    assert refused('{user: mira, quiet_hours: {from: "07:00", until: "07:00"}}') == [
        ": Quiet hours end at another time than they begin."
    ]
    assert not ContactMethod.objects.exists()

"""Escalations in the configuration file: brought in, refused with their place, written back as no change."""

import pytest

from fleetledger.fleet import config
from monitoring.alerts.models import Destination, Escalation
from tests.alerts import world

pytestmark = pytest.mark.django_db
WHOLE = """\
teams: [{slug: vision, members: [{user: mira}]}]
receivers: [{name: sre, webhook: [{url: "http://127.0.0.1:9/x"}]}]
route: {receiver: sre}
alerting:
  - team: vision
    route: {receiver: lab, escalation: {critical: gpu}}
    receivers: [{name: lab, webhook: [{url: "http://127.0.0.1:9/y"}]}]
schedules:
  - name: primary
    time_zone: UTC
    layers: [{name: base, people: [mira], every: week, start: 2026-03-02 09:00}]
escalations:
  - name: gpu
    team: vision
    acknowledge_timeout: 30m
    repeat: 2
    steps:
      - schedule: primary
      - wait: 5m
      - person: mira
        if:
          time: {from: "09:00", until: "17:00", days: [mon], time_zone: Europe/Berlin}
          more_than: {alerts: 5, within: 10m}
      - {team: vision}
      - everyone: true
      - {receiver: lab}
      - webhook: {url: "http://127.0.0.1:9/step", secret: {env: STEP_SECRET}}
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


def apply(text: str) -> list[str]:
    return [str(change) for change in config.apply([("fleet.yaml", text)]).changes]


def refused(steps: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        apply(f"escalations:\n  - {{name: gpu, steps: {steps}}}\n")
    return [line.removeprefix("fleet.yaml:2: escalations[0].steps") for line in str(caught.value).splitlines()]


def test_an_escalation_is_brought_in_once_and_written_back_as_no_change() -> None:
    assert "+ escalation gpu: 7 steps" in apply(WHOLE)
    row = Escalation.objects.get()
    assert (row.name, row.repeat, row.acknowledge_timeout_s) == ("gpu", 2, 1800)
    assert Destination.objects.get(escalation=row).config == {
        "url": "http://127.0.0.1:9/step",
        "secret": {"env": "STEP_SECRET"},
    }
    assert apply(WHOLE) == []
    assert apply(config.export()) == []


def test_a_webhook_that_is_taken_out_stays_for_the_runs_that_have_it() -> None:
    apply(WHOLE)
    apply("escalations: [{name: gpu, steps: [{person: mira}]}]")
    assert Destination.objects.get(escalation__isnull=False).removed_at == world.START


def test_what_is_not_there_is_named_with_what_was_meant() -> None:
    apply(WHOLE)
    assert refused("[{person: mirra}]") == ["[0].person: No person is called 'mirra'. Did you mean 'mira'?"]
    assert refused("[{schedule: primry}]") == ["[0].schedule: No schedule is called 'primry'. Did you mean 'primary'?"]


def test_an_escalation_that_only_waits_is_refused() -> None:
    assert refused("[{wait: 5m}]") == [
        ": This escalation only waits. Add a step that tells somebody, such as {person: NAME}."
    ]


AUDIO = """\
teams: [{slug: audio}]
alerting:
  - team: audio
    route: {receiver: lab, escalation: gpu}
    receivers: [{name: lab, webhook: [{url: "http://127.0.0.1:9/z"}]}]
"""
VISION = """\
alerting: [{team: vision, route: {receiver: lab, escalation: %s}}]
"""


def test_a_route_names_an_escalation_of_the_file_or_one_that_is_stored() -> None:
    apply(WHOLE)
    assert apply(VISION % "gpu") != []
    with pytest.raises(config.ConfigError, match=r"No escalation is called 'gpuu'. Did you mean 'gpu'\?"):
        apply(VISION % "gpuu")


def test_a_route_names_escalations_of_its_own_tenant_or_the_platforms_alone() -> None:
    apply(WHOLE + "  - {name: shared, steps: [{person: mira}]}\n")
    assert apply(VISION % "{critical: gpu, default: shared}") != []
    for text, place, own in (
        ("route: {receiver: sre, escalation: {critical: gpu}}", "route.escalation.critical", "the platform's"),
        (
            AUDIO,
            "alerting[0].route.escalation",
            "those of the team 'audio' or the platform's",
        ),
    ):
        with pytest.raises(config.ConfigError) as caught:
            apply(text)
        assert str(caught.value).endswith(
            f"{place}: The escalation 'gpu' is the team vision's, and pages nobody for others. Name one of {own}, "
            "or take 'team' out of the escalation to share it."
        )


def test_an_escalation_that_others_name_does_not_become_one_teams() -> None:
    apply(WHOLE + "  - {name: shared, steps: [{person: mira}]}\n")
    apply("route: {receiver: sre, escalation: shared}")
    with pytest.raises(config.ConfigError, match="Routes of platform name 'shared', so it is not vision's alone"):
        apply("escalations: [{name: shared, team: vision, steps: [{person: mira}]}]")
    assert apply("route: {receiver: sre}\nescalations: [{name: shared, team: vision, steps: [{person: mira}]}]") != []

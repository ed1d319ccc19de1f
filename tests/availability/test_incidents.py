"""Incidents that alerts open, fill and end; and what people do to them."""

from datetime import timedelta

import pytest
from django.db import transaction

from fleetledger.fleet.models import Team
from monitoring.alerts import acts as alert_acts
from monitoring.alerts import clock
from monitoring.alerts.models import Alert, Episode, Silence
from monitoring.availability.incidents import acts, learning, markdown
from monitoring.availability.incidents.acts import Changes
from monitoring.availability.incidents.errors import ChangedMeanwhileError, IncidentError, StillOpenError
from monitoring.availability.models import Incident, IncidentState, RoleKind, Severity, State, Transition
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.incidents_world import MIRA, incident, lines, look, rule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> None:
    alerts.set_clock()
    alerts.intake_was_up()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


def _resolved(name: str, node: str = "") -> None:
    alerts.advance(60)
    if node:
        alerts.resolve(name, severity="critical", node=node)
    else:
        alerts.resolve(name, severity="critical")


def test_an_alert_that_a_rule_names_opens_one_incident_however_often_is_looked(vision: Team) -> None:
    rule(severity="sev1")
    alerts.post("Down", team=vision, severity="critical", annotations={"summary": "The API is down"})
    alerts.post("Idle", team=vision, severity="warning")
    look()
    (found,) = look()
    assert (found.title, found.severity, found.state, found.team) == ("The API is down", "sev1", "open", vision)
    assert lines(found) == ["Opened by the rule critical", "Down fired"]


def test_alerts_of_one_group_join_the_incident_and_others_open_their_own() -> None:
    rule()
    for node in ("n1", "n2"):
        alerts.post("Down", severity="critical", node=node)
    alerts.post("Full", severity="critical", node="n1")
    assert [(row.title, row.alerts.count()) for row in look()] == [("Down", 2), ("Full", 1)]


def test_two_alerts_about_one_component_are_one_incident_whatever_their_names() -> None:
    api = world.component("api")
    rule()
    alerts.post("Down", severity="critical", component="api")
    alerts.post("Burn", severity="critical", component="api")
    (found,) = look()
    assert (list(found.components.all()), found.alerts.count()) == ([api], 2)


def test_a_component_of_another_team_is_not_linked(vision: Team) -> None:
    world.component("api")
    rule()
    alerts.post("Down", team=vision, severity="critical", component="api")
    (found,) = look()
    assert not found.components.exists()


def test_a_rule_of_a_team_leaves_other_tenants_alone(vision: Team) -> None:
    rule(team=vision)
    alerts.post("Down", severity="critical")
    assert look() == []


def test_the_same_alerts_of_two_teams_are_two_incidents(vision: Team) -> None:
    speech = fleet.team("speech")
    rule()
    for team in (vision, speech, None):
        alerts.post("Down", team=team, severity="critical")
    assert [row.team for row in look()] == [vision, speech, None]


def test_what_a_silence_withholds_opens_none_until_it_is_released() -> None:
    rule()
    now = clock.now()
    Silence.objects.create(
        matchers=[{"name": "alertname", "value": "Down", "isRegex": False, "isEqual": True}],
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        updated_at=now,
        created_by="mira",
        comment="known",
    )
    alerts.post("Down", severity="critical")
    assert look() == []
    alerts.advance(3601)
    alerts.post("Down", severity="critical")
    assert len(look()) == 1


def test_it_is_mitigated_when_all_alerts_end_open_again_when_one_fires_and_resolved_when_quiet() -> None:
    rule(resolve_after_s=600)
    alerts.post("Down", severity="critical", node="n1")
    alerts.post("Down", severity="critical", node="n2")
    look()
    _resolved("Down", node="n1")
    assert [row.state for row in look()] == ["open"]
    _resolved("Down", node="n2")
    assert [row.state for row in look()] == ["mitigated"]
    alerts.advance(300)
    alerts.post("Down", severity="critical", node="n1")
    assert [row.state for row in look()] == ["open"]
    _resolved("Down", node="n1")
    look()
    alerts.advance(599)
    assert [row.state for row in look()] == ["mitigated"]
    alerts.advance(1)
    (found,) = look()
    assert (found.state, lines(found)[-1]) == ("resolved", "Resolved: no alert came back")
    alerts.post("Down", severity="critical", node="n1")
    assert [row.state for row in look()] == ["resolved", "open"]


def test_an_alert_that_came_and_went_unseen_opens_its_incident_all_the_same() -> None:
    rule()
    alerts.post("Down", severity="critical")
    _resolved("Down")
    assert [row.state for row in look()] == ["mitigated"]


def test_what_ended_before_the_rule_was_made_opens_none() -> None:
    alerts.post("Down", severity="critical")
    _resolved("Down")
    alerts.advance(1)
    rule()
    assert look() == []


def test_an_alert_whose_incident_a_person_resolved_opens_no_other_while_it_fires() -> None:
    rule()
    alerts.post("Down", severity="critical")
    (found,) = look()
    acts.change(found.pk, Changes(state=IncidentState.RESOLVED), MIRA)
    assert [row.state for row in look()] == ["resolved"]


def test_the_timeline_fills_itself_from_alerts_and_components_each_thing_once() -> None:
    api = world.component("api", title="The API")
    rule()
    fired_at = clock.now()
    Transition.objects.create(
        component=api, at=fired_at - timedelta(minutes=1), from_state=State.UP, to_state=State.DOWN, why="HTTP 503"
    )
    alerts.post("Down", severity="critical", component="api")
    (found,) = look()
    alerts.advance(5)
    alert = Alert.objects.get()
    alert_acts.acknowledge([alert.pk], MIRA)
    alert_acts.comment(alert.pk, "A bad rollout", MIRA)
    acts.note(found.pk, "Rolling back", MIRA)
    alerts.advance(55)
    alerts.resolve("Down", severity="critical", component="api")
    look()
    look()
    assert lines(found) == [
        "The API went from up to down: HTTP 503",
        "Opened by the rule critical",
        "Down on api fired",
        "Mira: Rolling back",
        "Mira: Down on api was acknowledged",
        "Mira: Down on api: A bad rollout",
        "Down on api resolved: the sender said so",
        "Mitigated: every alert has resolved",
    ]


def test_what_an_alert_said_stays_when_it_is_forgotten() -> None:
    rule()
    alerts.post("Down", severity="critical", node="n1")
    (found,) = look()
    Alert.objects.all().delete()
    link = found.alerts.get()
    assert (link.name, link.labels["node"], link.episode, lines(found)[1]) == ("Down", "n1", None, "Down on n1 fired")


def test_a_person_opens_one_with_alerts_of_its_own_tenant_only(vision: Team) -> None:
    alerts.post("Down", team=vision)
    alerts.post("Ours")
    theirs, ours = Alert.objects.get(name="Down"), Alert.objects.get(name="Ours")
    found = incident(alert_ids=[ours.pk])
    assert (found.opened_by, lines(found)) == ("Mira", ["Mira: Opened", "Ours fired"])
    with pytest.raises(IncidentError, match="No alert of this team"):
        incident(alert_ids=[theirs.pk])
    assert Incident.objects.count() == 1


def test_each_change_stands_in_the_timeline() -> None:
    found = incident()
    acts.change(found.pk, Changes(state=IncidentState.MITIGATED, severity=Severity.SEV1), MIRA)
    acts.change(found.pk, Changes(state=IncidentState.RESOLVED), MIRA)
    acts.change(found.pk, Changes(state=IncidentState.OPEN), MIRA)
    found.refresh_from_db()
    assert (found.state, found.mitigated_at, found.resolved_at) == ("open", None, None)
    assert lines(found)[1:] == [
        "Mira: Mitigated",
        "Mira: Changed: severity SEV 1",
        "Mira: Resolved",
        "Mira: Open again",
    ]


def test_one_is_not_opened_again_while_another_has_its_alerts() -> None:
    rule()
    alerts.post("Down", severity="critical")
    (first,) = look()
    acts.change(first.pk, Changes(state=IncidentState.RESOLVED), MIRA)
    _resolved("Down")
    alerts.advance(60)
    alerts.post("Down", severity="critical")
    assert len(look()) == 2
    with pytest.raises(StillOpenError), transaction.atomic():
        acts.change(first.pk, Changes(state=IncidentState.OPEN), MIRA)


def test_what_is_public_needs_a_title_for_the_public_and_updates_need_what_is_public() -> None:
    found = incident()
    with pytest.raises(IncidentError, match="public title"):
        acts.change(found.pk, Changes(is_public=True), MIRA)
    with pytest.raises(IncidentError, match="not public"):
        acts.note(found.pk, "We know", MIRA, is_public=True)
    acts.change(found.pk, Changes(is_public=True, public_title="Slow answers"), MIRA)
    acts.note(found.pk, "We know", MIRA, is_public=True)
    assert found.entries.get(kind="update").text == "We know"


def test_roles_are_given_and_given_back() -> None:
    found = incident()
    ada = fleet.user("ada", first_name="Ada")
    acts.give_role(found.pk, RoleKind.COMMANDER, ada, MIRA)
    acts.give_role(found.pk, RoleKind.COMMANDER, ada, MIRA)
    acts.give_role(found.pk, RoleKind.COMMANDER, None, MIRA)
    assert lines(found)[1:] == ["Mira: Commander: Ada", "Mira: Commander: nobody"]


def test_a_postmortem_is_not_written_over_what_somebody_else_wrote_meanwhile() -> None:
    found = incident()
    learning.save(found.pk, "First", 0, MIRA, is_published=False)
    with pytest.raises(ChangedMeanwhileError, match="Mira has changed"):
        learning.save(found.pk, "Second", 0, MIRA, is_published=False)
    assert learning.save(found.pk, "Second", 1, MIRA, is_published=True).published_at == clock.now()


REL = 'rel="noreferrer noopener nofollow"'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("a <b>b</b>", "<p>a &lt;b&gt;b&lt;/b&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[x](//evil.example)", "<p>[x](//evil.example)</p>\n"),
        ("![x](https://evil.example/p.png)", f'<p>!<a href="https://evil.example/p.png" {REL}>x</a></p>\n'),
        ("## Why\n\n- a", "<h3>Why</h3>\n<ul>\n<li>a</li>\n</ul>\n"),
        ('[x](https://a.example/"onclick=1)', f'<p><a href="https://a.example/%22onclick=1" {REL}>x</a></p>\n'),
    ],
)
def test_markdown_does_no_harm(written: str, shown: str) -> None:
    assert str(markdown.html(written)) == shown


def test_an_episode_belongs_to_one_incident() -> None:
    rule()
    alerts.post("Down", severity="critical")
    (first,) = look()
    acts.link_alerts(incident("Another").pk, [Alert.objects.get().pk], MIRA)
    assert Episode.objects.get().incident_link.incident == first


def test_a_team_speaks_in_public_about_its_public_components_alone() -> None:
    vision = fleet.team("vision")
    with pytest.raises(IncidentError, match="public only with a public component"):
        incident(team=vision, is_public=True, public_title="Sign in at evil.example")
    made = incident(team=vision, title="Slow\x0b today")
    assert made.title == "Slow today"
    with pytest.raises(IncidentError, match="public only with a public component"):
        acts.change(made.pk, Changes(is_public=True, public_title="Slow"), MIRA)
    made.refresh_from_db()
    assert made.is_public is False

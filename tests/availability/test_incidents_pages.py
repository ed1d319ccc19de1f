"""The pages about incidents: what is shown to whom, what is escaped, and who may act."""

import pytest
from django.test import Client

from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts.models import Alert
from monitoring.availability.incidents import learning
from monitoring.availability.models import FollowUp, Incident, IncidentRole, Postmortem
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.incidents_world import MIRA, incident, lines

pytestmark = pytest.mark.django_db
NASTY = '<script>alert("x")</script>'


@pytest.fixture(autouse=True)
def _clock() -> None:
    alerts.set_clock()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision", name="Vision Research")


@pytest.fixture
def lead(vision: Team) -> User:
    return fleet.member(vision, role=Role.LEAD, username="ada")


def page(who: User, path: str, status: int = 200) -> str:
    client = Client()
    client.force_login(who)
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def send(who: User, path: str, status: int = 302, **values: object) -> str:
    client = Client()
    client.force_login(who)
    answer = client.post(path, values)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def test_the_list_shows_what_is_not_over_and_escapes_it(vision: Team, lead: User) -> None:
    found = incident(NASTY, team=vision)
    html = page(lead, "/incidents/")
    assert "&lt;script&gt;" in html
    assert NASTY not in html
    assert f"/incidents/{found.pk}/" in html
    assert "Nothing was resolved" not in html
    assert "No incident was resolved yet" in page(lead, "/incidents/?tab=resolved")


def test_the_list_as_csv_has_one_row_for_each(vision: Team, lead: User) -> None:
    incident("=1+1", team=vision)
    head, row = page(lead, "/incidents/?format=csv").splitlines()
    assert head.startswith("id,team,title,severity,state,")
    assert ",vision,'=1+1,sev2,open," in row


def test_an_empty_list_says_how_incidents_come_about(lead: User) -> None:
    assert "resolve_after: 1h" in page(lead, "/incidents/")


def test_a_stranger_meets_no_trace_of_another_teams_incident(vision: Team) -> None:
    found = incident("Secret", team=vision)
    stranger = fleet.member(fleet.team("other"), role=Role.LEAD)
    assert "Secret" not in page(stranger, "/incidents/?tab=all")
    assert "Secret" not in page(stranger, "/incidents/?tab=all&format=csv")
    for rest in ("", "edit/", "postmortem/", "?format=csv"):
        page(stranger, f"/incidents/{found.pk}/{rest}", 404)
    for rest in ("state/resolved/", "note/", "roles/scribe/", "follow-ups/", "follow-ups/1/", "postmortem/", "edit/"):
        send(stranger, f"/incidents/{found.pk}/{rest}", 404, text="x")
    found.refresh_from_db()
    assert (found.state, lines(found)) == ("open", ["Mira: Opened"])


def test_a_viewer_of_the_team_looks_and_does_not_act(vision: Team) -> None:
    found = incident(team=vision)
    viewer = fleet.member(vision)
    html = page(viewer, f"/incidents/{found.pk}/")
    assert "Mitigated</button>" not in html
    for rest in ("state/resolved/", "note/", "roles/scribe/", "follow-ups/", "edit/", "postmortem/"):
        send(viewer, f"/incidents/{found.pk}/{rest}", 403, text="x")
    page(viewer, "/incidents/new/", 403)


def test_a_lead_opens_one_for_an_alert_and_leads_it_to_its_end(vision: Team, lead: User) -> None:
    world.component("api", team=vision)
    alerts.post("Down", team=vision, component="api", annotations={"summary": "The API is down"})
    alert = Alert.objects.get()
    assert 'value="The API is down"' in page(lead, f"/incidents/new/?alert={alert.pk}")
    send(lead, "/incidents/new/", alert=alert.pk, team="vision", title="The API is down", severity="sev1")
    found = Incident.objects.get()
    at = f"/incidents/{found.pk}/"
    send(lead, f"{at}roles/commander/", person="ada")
    send(lead, f"{at}note/", text="A bad rollout")
    send(lead, f"{at}follow-ups/", text="Test the rollout", owner="ada", due_on="2026-11-01")
    assert "overdue" in page(lead, at)
    send(lead, f"{at}follow-ups/{FollowUp.objects.get().pk}/")
    send(lead, f"{at}state/mitigated/")
    send(lead, f"{at}state/resolved/")
    found.refresh_from_db()
    assert (found.state, found.severity, found.team, found.alerts.count()) == ("resolved", "sev1", vision, 1)
    assert IncidentRole.objects.get().person == lead
    html = page(lead, at)
    for said in ("ada: A bad rollout", "ada: Done: Test the rollout", "ada: Resolved", "Down on api fired"):
        assert said in html


def test_one_of_another_team_is_opened_by_nobody(vision: Team, lead: User) -> None:
    alerts.post("Theirs")
    send(lead, "/incidents/new/", 403, alert=Alert.objects.get().pk, team="platform", title="x", severity="sev1")
    send(lead, "/incidents/new/", 403, team="platform", title="x", severity="sev1")
    assert not Incident.objects.exists()


def test_a_title_for_the_public_is_asked_for(vision: Team, lead: User) -> None:
    html = send(lead, "/incidents/new/", 422, team="vision", title="x", severity="sev1", is_public="on")
    assert "public title" in html


def test_a_role_goes_to_nobody_outside_of_the_team(vision: Team, lead: User) -> None:
    found = incident(team=vision)
    fleet.member(fleet.team("other"), username="eve")
    send(lead, f"/incidents/{found.pk}/roles/scribe/", 404, person="eve")
    assert not IncidentRole.objects.exists()


def test_a_postmortem_begins_with_its_sections_and_is_shown_without_harm(vision: Team, lead: User) -> None:
    found = incident(team=vision)
    at = f"/incidents/{found.pk}/"
    assert "## Why it happened" in page(lead, f"{at}postmortem/")
    send(lead, f"{at}postmortem/", version=0, text=f"## Why\n\n{NASTY} [x](javascript:alert(1))", is_published="on")
    html = page(lead, at)
    assert "<h3>Why</h3>" in html
    assert NASTY not in html
    assert 'href="javascript' not in html
    assert Postmortem.objects.get().published_at is not None


def test_a_postmortem_that_somebody_changed_meanwhile_is_refused_with_what_was_written_kept(
    vision: Team, lead: User
) -> None:
    found = incident(team=vision)
    learning.save(found.pk, "Theirs", 0, MIRA, is_published=False)
    html = send(lead, f"/incidents/{found.pk}/postmortem/", 422, version=0, text="Mine")
    assert "Mira has changed the postmortem meanwhile" in html
    assert "Mine" in html
    assert Postmortem.objects.get().text == "Theirs"


def test_no_page_breaks_on_what_nobody_would_type(vision: Team, lead: User) -> None:
    found = incident(team=vision)
    send(lead, f"/incidents/{found.pk}/note/", text="a\x00b")
    send(lead, f"/incidents/{found.pk}/follow-ups/", text="x" * 501, owner="nobody", due_on="0001-01-01")
    send(lead, f"/incidents/{found.pk}/state/odd/", 404)
    page(lead, f"/incidents/{10**30}/", 404)
    page(lead, "/incidents/?before=99999999999999999999&severity=odd&team=%00")
    assert lines(found) == ["Mira: Opened"]

"""Profile, tokens, people and rules: what each role may see and do there."""

import re

import pytest
from django.test import Client

from fleetledger.fleet.models import ApiToken, Membership, Role, User
from tests import world

pytestmark = pytest.mark.django_db


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _body(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def test_a_profile_keeps_name_and_time_zone() -> None:
    user = world.user("mira")
    words = {"first_name": "Mira", "last_name": "Kovač", "email": "", "time_zone": "Europe/Zagreb"}
    assert _as(user).post("/settings/", words).status_code == 302
    user.refresh_from_db()
    assert (user.get_full_name(), user.time_zone) == ("Mira Kovač", "Europe/Zagreb")


def test_an_unknown_time_zone_is_refused() -> None:
    user = world.user()
    assert _as(user).post("/settings/", {"time_zone": "Mars/Olympus"}).status_code == 422


def test_a_new_token_is_shown_once_and_works() -> None:
    client = _as(world.admin())
    answer = client.post("/settings/tokens/", {"name": "grafana", "scope": "read", "team": "", "lifetime": "90"})
    found = re.search(r"fl_[0-9a-z]{8}_[\w-]{43}", answer.content.decode())
    assert found is not None
    assert found[0] not in _body(client, "/settings/tokens/")
    assert "no-store" in answer.headers["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.name, token.scopes, token.team, token.expires_at is None) == ("grafana", ["read"], None, False)


def test_a_lead_makes_reading_tokens_for_the_own_team_only() -> None:
    own, other = world.team("vision"), world.team("speech")
    client = _as(world.member(own, role=Role.LEAD))
    for team, scope in ((other.slug, "read"), ("", "read"), (own.slug, "write"), (own.slug, "admin")):
        words = {"name": "x", "scope": scope, "team": team, "lifetime": ""}
        assert client.post("/settings/tokens/", words).status_code == 422
    assert client.post("/settings/tokens/", {"name": "x", "scope": "read", "team": "vision"}).status_code == 200
    assert [(token.team, token.scopes) for token in ApiToken.objects.all()] == [(own, ["read"])]


def test_a_viewer_makes_no_tokens() -> None:
    client = _as(world.member(world.team("vision")))
    assert client.post("/settings/tokens/", {"name": "x", "scope": "read", "team": "vision"}).status_code == 422
    assert ApiToken.objects.count() == 0


def test_finance_makes_tokens_that_read_the_fleet_but_change_nothing() -> None:
    client = _as(world.user(role=Role.FINANCE))
    assert client.post("/settings/tokens/", {"name": "x", "scope": "admin", "team": ""}).status_code == 422
    assert client.post("/settings/tokens/", {"name": "x", "scope": "read:costs", "team": ""}).status_code == 200
    assert [token.scopes for token in ApiToken.objects.all()] == [["read:costs"]]


def test_nobody_sees_or_revokes_the_token_of_another() -> None:
    owner, stranger = world.user(role=Role.SRE), world.user(role=Role.SRE)
    world.token("private-program", created_by=owner)
    token = ApiToken.objects.get()
    assert "private-program" not in _body(_as(stranger), "/settings/tokens/")
    assert "private-program" not in _body(_as(stranger), "/settings/tokens/?format=csv")
    assert _as(stranger).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert _as(owner).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LEAD, Role.FINANCE, Role.SRE])
@pytest.mark.parametrize("path", ["/settings/people/", "/settings/people/new/", "/settings/people/of/ada/"])
def test_people_are_for_administrators(role: str, path: str) -> None:
    world.user("ada")
    answer = _as(world.user(role=role)).get(path)
    assert answer.status_code == 403
    assert "Only an administrator may open this page." in answer.content.decode()


def test_only_an_administrator_changes_people() -> None:
    target = world.user("ada")
    answer = _as(world.user(role=Role.SRE)).post("/settings/people/of/ada/role/", {"role": "admin"})
    target.refresh_from_db()
    assert (answer.status_code, target.role) == (403, Role.VIEWER)


def test_an_administrator_makes_a_person_and_puts_them_into_a_team() -> None:
    team = world.team("vision", name="Vision Research")
    client = _as(world.admin())
    words = {"username": "mira", "email": "", "role": "viewer", "password": world.PASSWORD}
    assert client.post("/settings/people/new/", words).headers["Location"] == "/settings/people/of/mira/"
    client.post("/settings/people/of/mira/join/", {"team": "vision", "role": "lead"})
    membership = Membership.objects.get()
    assert (membership.user.username, membership.team, membership.role) == ("mira", team, Role.LEAD)
    assert "Vision Research" in _body(client, "/settings/people/of/mira/")
    client.post("/settings/people/of/mira/leave/", {"team": "vision"})
    assert Membership.objects.count() == 0


def test_the_last_administrator_keeps_the_role() -> None:
    admin = world.admin("root")
    answer = _as(admin).post("/settings/people/of/root/role/", {"role": "viewer"}, follow=True)
    admin.refresh_from_db()
    assert admin.role == Role.ADMIN
    assert "is the last administrator" in answer.content.decode()


def test_rules_are_shown_for_the_own_teams() -> None:
    vision, speech = world.team("vision"), world.team("speech")
    world.rule(vision, {"namespace": "vision-.*"})
    world.rule(speech, {"tags": {"business_unit": "SpeechAI"}})
    assert _body(_as(world.member(vision)), "/settings/rules/?format=csv") == (
        "position,team,match,from,until\r\n0,vision,namespace: vision-.*,,\r\n"
    )
    assert _body(_as(world.admin()), "/settings/rules/?format=csv").splitlines()[1:] == [
        "0,vision,namespace: vision-.*,,",
        "1,speech,tag business_unit: SpeechAI,,",
    ]


def test_only_administrators_read_the_servers_versions() -> None:
    assert "PostgreSQL" not in _body(_as(world.user()), "/settings/about/")
    assert "PostgreSQL" in _body(_as(world.admin()), "/settings/about/")

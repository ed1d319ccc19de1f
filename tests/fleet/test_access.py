"""Who may see and do what: the whole table."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from fleetledger.fleet import tokens
from fleetledger.fleet.access import Capability, TeamScope, TokenPrincipal, can, teams_visible_to
from fleetledger.fleet.models import Membership, Role, Team, User
from tests import world

pytestmark = pytest.mark.django_db
C = Capability
TABLE: dict[str, frozenset[Capability]] = {
    Role.VIEWER: frozenset({C.READ}),
    Role.LEAD: frozenset({C.READ}),
    Role.FINANCE: frozenset({C.READ, C.IMPORT_BILLS, C.CLOSE_PERIODS}),
    Role.SRE: frozenset({C.READ, C.MANAGE_SOURCES, C.SEND_ALERTS, C.HANDLE_ALERTS, C.SEND_REPORTS}),
    Role.ADMIN: frozenset(C),
}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("capability", list(C))
def test_each_role_has_its_capabilities_and_no_others(role: str, capability: Capability) -> None:
    assert can(world.user(role=role), capability) is (capability in TABLE[role])


@pytest.mark.parametrize(
    ("scopes", "capability", "area", "expected"),
    [
        (["read"], C.READ, "costs", True),
        (["read:costs"], C.READ, "costs", True),
        (["read:costs"], C.READ, "telemetry", False),
        (["read"], C.IMPORT_BILLS, "costs", False),
        (["write"], C.IMPORT_BILLS, "costs", True),
        (["write:costs"], C.CLOSE_PERIODS, "costs", True),
        (["write:costs"], C.MANAGE_SOURCES, "fleet", False),
        (["write"], C.ADMIN, "", False),
        (["admin"], C.ADMIN, "", True),
        (["read:costs", "write:telemetry"], C.IMPORT_BILLS, "costs", False),
    ],
)
def test_a_tokens_scopes_say_what_it_may(scopes: list[str], capability: Capability, area: str, expected: bool) -> None:
    principal = TokenPrincipal(tokens.create("t", scopes).token)
    assert can(principal, capability, area=area) is expected


@pytest.mark.parametrize("capability", [item for item in C if item is not C.READ])
def test_a_teams_token_changes_nothing_of_the_whole_fleet(capability: Capability) -> None:
    principal = TokenPrincipal(tokens.create("t", ["admin"], team=world.team()).token)
    assert can(principal, C.READ)
    assert not can(principal, capability)


@pytest.fixture
def tree() -> tuple[Team, Team, Team]:
    research = world.team("research")
    vision = world.team("vision", parent=research)
    return research, vision, world.team("detection", parent=vision)


def test_a_member_sees_the_own_team_and_those_below(tree: tuple[Team, Team, Team]) -> None:
    research, vision, detection = tree
    world.team("speech")

    def scope(team: Team) -> TeamScope:
        return teams_visible_to(world.member(team))

    assert scope(research) == TeamScope(fleet=False, team_ids=frozenset({research.pk, vision.pk, detection.pk}))
    assert scope(vision) == TeamScope(fleet=False, team_ids=frozenset({vision.pk, detection.pk}))
    assert scope(detection) == TeamScope(fleet=False, team_ids=frozenset({detection.pk}))


def test_a_token_of_a_team_sees_that_team_and_those_below(tree: tuple[Team, Team, Team]) -> None:
    _, vision, detection = tree
    principal = TokenPrincipal(tokens.create("t", ["read"], team=vision).token)
    assert teams_visible_to(principal) == TeamScope(fleet=False, team_ids=frozenset({vision.pk, detection.pk}))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.FINANCE, Role.SRE])
def test_fleet_roles_see_everything(role: str) -> None:
    assert teams_visible_to(world.user(role=role)) == TeamScope.everything()


def _nobody() -> AnonymousUser:
    return AnonymousUser()


def _left() -> User:
    return world.user(role=Role.ADMIN, is_active=False)


@pytest.mark.parametrize("make", [_nobody, _left])
def test_strangers_and_people_who_left_see_nothing(make: Callable[[], User | AnonymousUser]) -> None:
    somebody = make()
    assert teams_visible_to(somebody) == TeamScope.nothing()
    assert [can(somebody, capability) for capability in C] == [False] * len(C)


def test_a_lead_manages_the_own_team_and_those_below_and_no_other(tree: tuple[Team, Team, Team]) -> None:
    research, vision, detection = tree
    lead = world.member(vision, role=Role.LEAD)
    found = [can(lead, C.MANAGE_TEAM, team=team) for team in (research, vision, detection, world.team("speech"))]
    assert found == [False, True, True, False]


def test_a_viewer_of_a_team_manages_nothing(tree: tuple[Team, Team, Team]) -> None:
    assert not can(world.member(tree[1]), C.MANAGE_TEAM, team=tree[1])


def test_a_member_of_two_teams_sees_both() -> None:
    vision, speech = world.team(), world.team()
    person = world.member(vision)
    Membership.objects.create(team=speech, user=person)
    assert teams_visible_to(person).team_ids == {vision.pk, speech.pk}


@pytest.mark.parametrize(("role", "expected"), [(Role.LEAD, True), (Role.SRE, True), (Role.VIEWER, False)])
@pytest.mark.parametrize("capability", [C.SEND_ALERTS, C.HANDLE_ALERTS])
def test_a_teams_leads_and_sres_handle_its_alerts_and_those_below(
    role: str, expected: bool, capability: Capability, tree: tuple[Team, Team, Team]
) -> None:
    research, vision, detection = tree
    person = world.member(vision, role=role)
    assert can(person, capability, team=vision) is expected
    assert can(person, capability, team=detection) is expected
    assert not can(person, capability, team=research)
    assert not can(person, capability)

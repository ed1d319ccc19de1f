"""People: how they come, and what is refused."""

import pytest
from django.core import signing

from fleetledger.fleet import first_setup, users
from fleetledger.fleet.errors import FleetError
from fleetledger.fleet.models import Role, User
from tests import world

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough one"


def test_a_person_is_made_with_a_role_and_a_password() -> None:
    user = users.create("mira", PASSWORD, role=Role.LEAD, email="mira@example.org")
    assert (user.role, user.email, user.check_password(PASSWORD)) == (Role.LEAD, "mira@example.org", True)


def test_a_member_named_in_the_configuration_is_adopted() -> None:
    waiting, is_new = users.ensure("mira")
    adopted = users.create("mira", PASSWORD, role=Role.LEAD)
    assert (is_new, adopted.pk, adopted.role, User.objects.count()) == (True, waiting.pk, Role.LEAD, 1)


def test_an_adopted_person_keeps_the_role_where_none_is_given() -> None:
    waiting, _ = users.ensure("mira")
    users.set_role(waiting, Role.FINANCE)
    assert users.create("mira", PASSWORD, role_is_given=False).role == Role.FINANCE


def test_a_person_without_a_password_cannot_sign_in() -> None:
    user, _ = users.ensure("mira")
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    ("username", "password", "role", "sentence"),
    [
        ("mira", "short", "viewer", "too short"),
        ("mira", "password123", "viewer", "too common"),
        ("mira k", PASSWORD, "viewer", "is no user name"),
        ("", PASSWORD, "viewer", "is no user name"),
        ("m" * 151, PASSWORD, "viewer", "at most 150"),
        ("mira", PASSWORD, "boss", "'boss' is no role. Known: viewer, lead, finance, sre, admin."),
    ],
)
def test_bad_input_is_refused_with_a_sentence(username: str, password: str, role: str, sentence: str) -> None:
    with pytest.raises(users.UserInputError, match=sentence):
        users.create(username, password, role=role)
    assert not User.objects.exists()


def test_a_name_is_taken_once() -> None:
    users.create("mira", PASSWORD)
    with pytest.raises(users.UserInputError, match="exists already"):
        users.create("mira", PASSWORD)


def test_the_last_administrator_stays() -> None:
    first = world.admin("first")
    with pytest.raises(users.LastAdministratorError, match="'first' is the last administrator"):
        users.set_role(first, Role.VIEWER)
    with pytest.raises(users.LastAdministratorError, match="'first' is the last administrator"):
        users.set_active(first, is_active=False)
    second = world.admin("second")
    users.set_role(first, Role.VIEWER)
    assert [user.username for user in users.administrators()] == [second.username]


def test_the_set_up_link_makes_one_administrator_and_is_spent() -> None:
    path = first_setup.path()
    assert path is not None
    token = path.split("/")[2]
    admin = users.create_first_admin(token, "ada", PASSWORD)
    assert (admin.role, first_setup.path()) == (Role.ADMIN, None)
    with pytest.raises(users.UserInputError, match="spent or too old"):
        users.create_first_admin(token, "eve", PASSWORD)


def test_members_without_a_password_do_not_close_the_set_up_link() -> None:
    users.ensure("mira")
    assert first_setup.path() is not None


@pytest.mark.parametrize("token", ["", "x", signing.dumps("first user", salt="another"), "a:b:c"])
def test_a_forged_set_up_link_opens_nothing(token: str) -> None:
    with pytest.raises(FleetError, match="spent or too old"):
        users.create_first_admin(token, "eve", PASSWORD)


def test_a_person_joins_changes_and_leaves_a_team() -> None:
    user, team = world.user(), world.team()
    users.put_into_team(user, team)
    assert users.put_into_team(user, team, Role.LEAD).role == Role.LEAD
    assert (users.take_from_team(user, team), users.take_from_team(user, team)) == (True, False)

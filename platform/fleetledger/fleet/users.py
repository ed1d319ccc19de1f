"""People: made, given roles and passwords, and put into teams, with refusals that say why."""

from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from fleetledger.fleet import first_setup
from fleetledger.fleet.errors import FleetError, UnknownNameError
from fleetledger.fleet.models import Membership, Role, Team, User

_SETUP_LOCK = 0x73657475


class UserInputError(FleetError):
    """A person who cannot be made or changed as asked."""


class LastAdministratorError(FleetError):
    http_status = 409

    def __init__(self, username: str) -> None:
        super().__init__(f"'{username}' is the last administrator. Make another one first.")


def create(
    username: str, password: str, *, role: str = Role.VIEWER, email: str = "", role_is_given: bool = True
) -> User:
    """Make a person, or give a password to one who has none yet (a member named in the configuration)."""
    username = checked_username(username)
    with transaction.atomic():
        user = User.objects.select_for_update().filter(username=username).first() or User(username=username)
        if user.pk and user.has_usable_password():
            raise UserInputError(f"'{username}' exists already. Change the password with: fleetledger user password.")
        if role_is_given or not user.pk:
            user.role = checked_role(role)
        user.email = email or user.email
        _set_checked_password(user, password)
        user.save()
    return user


def create_first_admin(link_token: str, username: str, password: str) -> User:
    """Make the first administrator by the one-time set-up link; raises UserInputError once it is spent."""
    with transaction.atomic():
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SETUP_LOCK])  # of two at once, one is first
        if not first_setup.is_open_to(link_token):
            raise UserInputError(
                "This set-up link is spent or too old. Run: fleetledger user create NAME --role admin."
            )
        return create(username, password, role=Role.ADMIN)


def ensure(username: str) -> tuple[User, bool]:
    """The person of this name and whether this call made them, without a password: they cannot sign in yet."""
    username = checked_username(username)
    user = User.objects.filter(username=username).first()
    if user is not None:
        return user, False
    user = User(username=username, role=Role.VIEWER)
    user.set_unusable_password()
    user.save()
    return user, True


def find(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise UnknownNameError("user", username, User.objects.values_list("username", flat=True)[:50])
    return user


def set_password(user: User, password: str) -> None:
    """A new password, which ends the sessions of the old one."""
    _set_checked_password(user, password)
    user.save(update_fields=["password"])


def set_role(user: User, role: str) -> None:
    """The role for the whole fleet; the last administrator keeps theirs."""
    with transaction.atomic():
        _keep_an_administrator(user, stays=role == Role.ADMIN)
        user.role = checked_role(role)
        user.save(update_fields=["role"])


def set_active(user: User, *, is_active: bool) -> None:
    """Let a person in or keep them out; the last administrator stays."""
    with transaction.atomic():
        _keep_an_administrator(user, stays=is_active)
        user.is_active = is_active
        user.save(update_fields=["is_active"])


def put_into_team(user: User, team: Team, role: str = Role.VIEWER) -> Membership:
    """Make a person a member of a team, or change their role in it."""
    membership = Membership.objects.filter(user=user, team=team).first() or Membership(user=user, team=team)
    if membership.pk is None or membership.role != role:
        membership.role = checked_role(role)
        membership.save()
    return membership


def take_from_team(user: User, team: Team) -> bool:
    """Whether there was a membership to end."""
    membership = Membership.objects.filter(user=user, team=team).first()
    if membership is None:
        return False
    membership.delete()
    return True


def administrators() -> Sequence[User]:
    """Those who can sign in and do everything."""
    found = User.objects.filter(role=Role.ADMIN, is_active=True)
    return [user for user in found if user.has_usable_password()]


def checked_username(username: str) -> str:
    username = User.normalize_username(username.strip())
    try:
        UnicodeUsernameValidator()(username)
    except ValidationError as error:
        raise UserInputError(f"'{username}' is no user name: letters, digits and @ . + - _ only.") from error
    if len(username) > 150:  # noqa: PLR2004 the column's width
        raise UserInputError("A user name has at most 150 characters.")
    return username


def checked_role(role: str) -> Role:
    if role not in Role.values:
        raise UserInputError(f"'{role}' is no role. Known: {', '.join(Role.values)}.")
    return Role(role)


def _set_checked_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise UserInputError(" ".join(error.messages)) from error
    user.set_password(password)


def _keep_an_administrator(user: User, *, stays: bool) -> None:
    admins = list(User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True))
    if not stays and [admin.pk for admin in admins] == [user.pk]:
        raise LastAdministratorError(user.username)

"""The commands `user create`, `user list` and `user password`."""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fleetledger.fleet import users
from fleetledger.fleet.commands import SentenceCommand, as_json
from fleetledger.fleet.models import Role, User


class Command(SentenceCommand):
    help = "Makes people, lists them, and sets passwords."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="create|list|password")
        create = actions.add_parser("create", help="make a person, or give a member of the configuration a password")
        create.add_argument("name")
        create.add_argument("--role", choices=Role.values, help="for the whole fleet; viewer unless given")
        create.add_argument("--email", default="")
        _add_password_file(create)
        listing = actions.add_parser("list", help="who there is")
        listing.add_argument("--json", action="store_true")
        password = actions.add_parser("password", help="set a new password")
        password.add_argument("name")
        _add_password_file(password)

    def act(self, options: dict[str, Any]) -> str:
        actions = {"create": _create, "list": _list, "password": _password}
        return actions[options["action"]](options)


def _create(options: dict[str, Any]) -> str:
    users.checked_username(options["name"])
    user = users.create(
        options["name"],
        _asked_password(options["password_file"]),
        role=options["role"] or Role.VIEWER,
        email=options["email"],
        role_is_given=options["role"] is not None,
    )
    return f"{user.username} can sign in, as {user.get_role_display().lower()}."


def _list(options: dict[str, Any]) -> str:
    rows = [_row(user) for user in User.objects.prefetch_related("memberships__team").order_by("username")]
    if options["json"]:
        return as_json(rows)
    if not rows:
        return "There are no users yet. Make one with: fleetledger user create NAME --role admin."
    return "\n".join(_line(row) for row in rows)


def _password(options: dict[str, Any]) -> str:
    user = users.find(options["name"])
    users.set_password(user, _asked_password(options["password_file"]))
    return f"{user.username} has a new password."


def _row(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "role": user.role,
        "email": user.email,
        "active": user.is_active,
        "has_password": user.has_usable_password(),
        "teams": {entry.team.slug: entry.role for entry in user.memberships.all()},
        "last_login": user.last_login,
    }


def _line(row: dict[str, Any]) -> str:
    teams = ", ".join(f"{slug} ({role})" for slug, role in sorted(row["teams"].items()))
    state = "" if row["active"] else "  left"
    state += "" if row["has_password"] else "  no password yet"
    return f"{row['username']:<24} {row['role']:<8} {teams}{state}".rstrip()


def _add_password_file(parser: ArgumentParser) -> None:
    parser.add_argument("--password-file", help="a file whose first line is the password; - is standard input")


def _asked_password(file: str | None) -> str:
    if file is not None:
        return _password_in(file)
    if not sys.stdin.isatty():
        raise CommandError("There is no terminal to ask for the password. Give --password-file FILE, or - for stdin.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CommandError("The two passwords differ. Try again.")
    return first


def _password_in(file: str) -> str:
    try:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"The password's file {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"The password's file {file} is not UTF-8. Save it as UTF-8.") from error
    password = text.splitlines()[0] if text else ""
    if not password:
        raise CommandError(f"The password's file {file} is empty. Write the password into its first line.")
    return password

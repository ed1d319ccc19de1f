"""The commands `token create`, `token list` and `token revoke`."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from fleetledger.fleet import tokens
from fleetledger.fleet.commands import SentenceCommand, as_json
from fleetledger.fleet.errors import UnknownNameError
from fleetledger.fleet.models import ApiToken, Team
from fleetledger.lib.durations import DurationError, parse_duration


class Command(SentenceCommand):
    help = "Makes API tokens, lists and revokes them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="create|list|revoke")
        create = actions.add_parser("create", help="print a new token's secret, once")
        create.add_argument("--name", required=True)
        create.add_argument("--scope", required=True, action="extend", nargs="+", help="read, write, admin, read:costs")
        create.add_argument("--team", help="the slug of the team that it is narrowed to")
        create.add_argument("--expires-in", help="a duration such as 90d")
        listing = actions.add_parser("list", help="which tokens there are")
        listing.add_argument("--json", action="store_true")
        revoke = actions.add_parser("revoke", help="end a token now")
        revoke.add_argument("token", help="its name or prefix")

    def act(self, options: dict[str, Any]) -> str:
        actions = {"create": _create, "list": _list, "revoke": _revoke}
        return actions[options["action"]](options)


def _create(options: dict[str, Any]) -> str:
    scopes = [scope for words in options["scope"] for scope in words.split(",") if scope]
    made = tokens.create(
        options["name"], scopes, team=_team(options["team"]), expires_at=_expiry(options["expires_in"])
    )
    return made.secret


def _list(options: dict[str, Any]) -> str:
    rows = [_row(token) for token in ApiToken.objects.select_related("team", "created_by")]
    if options["json"]:
        return as_json(rows)
    if not rows:
        return "There are no tokens yet. Make one with: fleetledger token create --name NAME --scope read."
    return "\n".join(_line(row) for row in rows)


def _revoke(options: dict[str, Any]) -> str:
    token = tokens.find(options["token"])
    tokens.revoke(token)
    return f"The token '{token.name}' (fl_{token.prefix}_…) is revoked."


def _team(slug: str | None) -> Team | None:
    if slug is None:
        return None
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise UnknownNameError("team", slug, Team.objects.values_list("slug", flat=True))
    return team


def _expiry(text: str | None) -> datetime | None:
    try:
        return timezone.now() + parse_duration(text) if text else None
    except DurationError as error:
        raise CommandError(str(error)) from error


def _row(token: ApiToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "team": token.team.slug if token.team else None,
        "created_at": token.created_at,
        "created_by": token.created_by.username if token.created_by else None,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }


def _line(row: dict[str, Any]) -> str:
    team = f" team {row['team']}" if row["team"] else ""
    words = [f"{row['name']:<24} fl_{row['prefix']}_…  {','.join(row['scopes'])}{team}"]
    for key, word in (("revoked_at", "revoked"), ("expires_at", "expires"), ("last_used_at", "last used")):
        if row[key]:
            words.append(f"{word} {row[key]:%Y-%m-%d}")
    return "  ".join(words)

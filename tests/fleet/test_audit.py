"""Every change is kept with who made it."""

import pytest
from auditlog.models import LogEntry

from fleetledger.fleet import audit, tokens, users
from fleetledger.fleet.models import Team
from tests import world

pytestmark = pytest.mark.django_db


def test_a_change_by_a_command_is_signed_with_the_command() -> None:
    with audit.acting("fleetledger apply"):
        team = world.team("vision")
    entry = LogEntry.objects.get_for_object(team).get()
    assert (entry.additional_data, entry.changes_dict["slug"]) == ({"actor": "fleetledger apply"}, ["None", "vision"])


def test_a_signature_ends_with_its_block() -> None:
    with audit.acting("fleetledger apply"):
        pass
    assert LogEntry.objects.get_for_object(world.team()).get().additional_data is None


def test_what_was_and_what_is_are_kept() -> None:
    team = world.team("vision", name="Vision")
    team.name = "Vision Research"
    team.save()
    newest = LogEntry.objects.get_for_object(team).latest("id")
    assert newest.changes_dict == {"name": ["Vision", "Vision Research"]}
    team.delete()
    assert LogEntry.objects.latest("id").action == LogEntry.Action.DELETE
    assert not Team.objects.exists()


def test_neither_passwords_nor_digests_are_kept() -> None:
    users.create("mira", "a long enough one")
    made = tokens.create("grafana", ["read"])
    tokens.authenticate(made.secret)
    kept = str([entry.changes for entry in LogEntry.objects.all()])
    assert "pbkdf2" not in kept
    assert made.token.digest not in kept
    assert LogEntry.objects.get_for_object(made.token).count() == 1

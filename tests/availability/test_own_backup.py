"""The age of our own last backup: unknown until one is written, green for a day, then it says what to run."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from fleetledger.fleet import ports
from monitoring.availability.models import PartTick
from monitoring.availability.own import backup
from monitoring.availability.own.seen import PartSeen
from monitoring.availability.states import State
from tests.alerts import world as clocks
from tests.availability.world import after

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 3600.0


def said(seen: PartSeen) -> tuple[str, str]:
    return (seen.seen.state.value, seen.seen.detail) if seen.seen else (State.UNKNOWN.value, seen.failure)


def test_no_backup_is_unknown_and_never_green() -> None:
    assert said(backup.look(after(0))) == (
        "unknown",
        "No backup is known. Run each day: fleetledger backup FILE",
    )
    assert backup.look(after(0)).facts == ()


def test_a_backup_is_as_old_as_its_beginning_and_late_after_a_day() -> None:
    clocks.set_clock(after(HOUR))
    ports.tell_backed_up(timedelta(hours=1))
    fresh = backup.look(after(26 * HOUR))
    assert said(fresh) == ("up", "")
    assert [(fact.key, fact.value, fact.unit) for fact in fresh.facts] == [("backup_age_s", 26 * HOUR, "s")]
    assert said(backup.look(after(30 * HOUR))) == (
        "degraded",
        "The last backup is 30 h old, of 2026-11-02 00:00Z. Run each day: fleetledger backup FILE",
    )


def test_the_command_leaves_word_of_what_it_wrote_and_of_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "kept.dump"
    kept.write_text("mine")
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", kept)
    assert not PartTick.objects.filter(part=backup.PART).exists()
    call_command("backup", tmp_path / "whole.dump")
    assert (tmp_path / "whole.dump").stat().st_size > 0
    assert PartTick.objects.filter(part=backup.PART).count() == 1

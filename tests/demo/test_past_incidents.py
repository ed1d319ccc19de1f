"""The demo's outages are told as incidents whose timelines hold what components did, and told once."""

from datetime import UTC, datetime, timedelta

import pytest

from fleetledger.demo import game_days, past_incidents, seed, service_past
from fleetledger.demo.stories import STORIES
from fleetledger.demo.world import World
from monitoring.availability.models import FollowUp, GameDay, Incident, IncidentState, Postmortem

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
DAYS = 12


def silent(sentence: str) -> None:
    """Nobody listens."""


@pytest.fixture
def told(world: World) -> int:
    seed.configure(seed.DEFAULT_PORT, NOW)
    service_past.write_probes(world, NOW, DAYS, silent)
    return past_incidents.write(NOW, DAYS)


def lines(incident: Incident) -> list[tuple[str, str, str]]:
    rows = incident.entries.order_by("at", "pk")
    return [(f"{row.at:%H:%M:%S}", row.actor, row.text) for row in rows]


def test_the_last_of_each_outage_is_told_once_with_all_that_belongs_to_it(told: int) -> None:
    assert told == 3
    assert past_incidents.write(NOW, DAYS) == 0
    assert set(Incident.objects.values_list("state", flat=True)) == {IncidentState.RESOLVED}
    incident = Incident.objects.get(title="Chat API is down")
    assert (incident.opened_at, incident.mitigated_at) == (
        datetime(2026, 11, 14, 13, 13, tzinfo=UTC),
        datetime(2026, 11, 14, 13, 28, 30, tzinfo=UTC),
    )
    assert ("13:12:00", "", "Chat API went from up to down: The value is 0, wanted >= 3.") in lines(incident)
    assert ("13:15:00", "tomas", "ComponentDown acknowledged") in lines(incident)
    assert incident.is_public
    done = {row.text: row.done_at is not None for row in FollowUp.objects.filter(incident=incident)}
    assert sorted(done.values()) == [False, False, True]
    published = Postmortem.objects.filter(published_at__isnull=False)
    assert set(published.values_list("incident__title", flat=True)) == {
        "Chat API is down",
        "us-east-1b cannot be reached",
    }


def test_earlier_times_of_the_same_outage_are_told_shortly() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    assert past_incidents.write(NOW, 90) == 5
    found = Incident.objects.filter(title="Chat API is down").order_by("opened_at")
    assert [hasattr(row, "postmortem") for row in found] == [False, False, True]


def test_nothing_is_told_before_it_is_over() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    outage = datetime(2026, 11, 14, 13, 12, tzinfo=UTC)
    assert past_incidents.write(outage + timedelta(minutes=20), 5) == 0


def test_stories_name_components_of_their_own_team() -> None:
    seed.configure(seed.DEFAULT_PORT, NOW)
    past_incidents.write(NOW, 90)
    for story in STORIES:
        for incident in Incident.objects.filter(title=story.title):
            assert incident.components.count() == len(story.components)
            assert {row.team_id for row in incident.components.all()} == {incident.team_id}


@pytest.mark.usefixtures("told")
def test_a_game_day_has_what_was_seen_of_it_and_another_is_planned() -> None:
    assert game_days.write(NOW) == 2
    assert game_days.write(NOW) == 0
    played = GameDay.objects.get(title=game_days.KILLED_TITLE)
    texts = [item["text"] for item in played.evidence]
    assert texts[0].startswith("Chat replica 4 went from up to down")
    assert texts[1].startswith("Chat replica 4 went from down to up")
    assert GameDay.objects.get(title=game_days.ZONE_TITLE).planned_at > NOW

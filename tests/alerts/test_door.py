"""The door through which our own parts raise alerts: all that a part sees now, told as often as it likes."""

import pytest

from monitoring.alerts import door
from monitoring.alerts.door import Finding, FindingError
from monitoring.alerts.models import Alert, AlertState, Event
from tests import world as fleet
from tests.alerts import world

pytestmark = pytest.mark.django_db
IDLE = {"alertname": "Idle", "workload": "train-0"}
BUSY = {"alertname": "Idle", "workload": "train-1"}


@pytest.fixture(autouse=True)
def _clock(db: None) -> None:
    world.set_clock()


def states(team_id: int | None = None) -> dict[str, str]:
    found = Alert.objects.filter(team=team_id).order_by("pk")
    return {alert.labels.get("workload", alert.name): str(alert.state) for alert in found}


def test_what_is_missing_from_the_next_report_resolves() -> None:
    door.report("idle", None, [Finding(IDLE), Finding(BUSY)])
    world.advance(60)
    door.report("idle", None, [Finding(BUSY)])
    assert states() == {"train-0": "resolved", "train-1": "firing"}
    door.report("idle", None, [])
    assert set(states().values()) == {"resolved"}


def test_the_same_report_twice_changes_nothing() -> None:
    for _ in range(3):
        door.report("idle", None, [Finding(IDLE, {"summary": "It idles."})])
    assert Event.objects.count() == Alert.objects.count() == 1


def test_a_part_that_says_nothing_more_keeps_its_last_word_for_ever() -> None:
    door.report("idle", None, [Finding(IDLE)])
    world.run_until(86_400)
    assert world.alert("Idle", workload="train-0").state == AlertState.FIRING


def test_parts_do_not_end_each_others_alerts_and_the_same_alert_of_two_parts_holds_while_one_says_so() -> None:
    door.report("one", None, [Finding(IDLE)])
    door.report("two", None, [Finding(IDLE), Finding(BUSY)])
    door.report("one", None, [])
    assert states() == {"train-0": "firing", "train-1": "firing"}
    door.report("two", None, [])
    assert set(states().values()) == {"resolved"}


def test_tenants_are_apart() -> None:
    vision, speech = fleet.team("vision"), fleet.team("speech")
    door.report("idle", vision.pk, [Finding(IDLE)])
    door.report("idle", speech.pk, [Finding(IDLE)])
    door.report("idle", speech.pk, [])
    assert (states(vision.pk), states(speech.pk)) == ({"train-0": "firing"}, {"train-0": "resolved"})


def test_the_start_is_the_parts_own() -> None:
    door.report("idle", None, [Finding(IDLE, started_at=world.after(-3600))])
    assert world.alert("Idle", workload="train-0").starts_at == world.after(-3600)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"workload": "x"}, "A finding needs the label alertname; this one has ['workload']."),
        ({"alertname": "", "workload": "x"}, "A finding needs the label alertname; this one has ['workload']."),
        ({"alertname": "X", "a-b": "1"}, "'a-b' names no label. A label's name is made of letters, digits and _."),
    ],
)
def test_a_finding_that_is_no_alert_is_refused_and_nothing_changes(labels: dict[str, str], words: str) -> None:
    door.report("idle", None, [Finding(IDLE)])
    with pytest.raises(FindingError) as refused:
        door.report("idle", None, [Finding(BUSY), Finding(labels)])
    assert str(refused.value) == words
    assert states() == {"train-0": "firing"}


def test_a_label_without_a_value_is_no_label() -> None:
    door.report("idle", None, [Finding({**IDLE, "team": ""})])
    assert Alert.objects.get().labels == IDLE

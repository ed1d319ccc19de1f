"""What an incident costs: GPU-hours from facts, what nobody measured, and money where a model has a price."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.fleet.models import Gpu
from monitoring.alerts.models import Alert
from monitoring.availability.incidents import acts, impact
from monitoring.availability.incidents.acts import Changes
from monitoring.availability.incidents.impact import Cost, Impact
from monitoring.availability.models import Incident, IncidentState
from monitoring.telemetry.sources.readings import Field, Holder, Series, UnitKey
from tests import world as fleet
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.incidents_world import MIRA, incident
from tests.telemetry import world as said
from tests.telemetry.samples import at as sample_at
from tests.telemetry.samples import every

pytestmark = pytest.mark.django_db
HOUR = 3_600_000_000
TRAIN = Holder("team-a", "train-0")
WINDOW = said.window(60)
EVERYTHING = TeamScope.everything()


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> dict[str, ports.HourPrice]:
    """What a GPU-hour costs by model; a test changes it."""
    known = {said.MODEL: ports.HourPrice(Decimal("2.50"), "USD")}

    def price(gpu_models: Collection[str], at: datetime) -> Mapping[str, ports.HourPrice]:
        return {model: known[model] for model in gpu_models if model in known}

    monkeypatch.setattr(ports, "_hour_prices", [price])
    return known


def _held(gpu: int, holder: Holder | None, *, until_s: float = 3900) -> Series:
    times = every(30, -300, until_s)
    unit = UnitKey(f"GPU-{gpu:08d}", None)
    return Series(unit, "", Field.GR_ACTIVE, "", holder, [sample_at(t) for t in times], [0.5] * len(times))


def _fleet_of_three() -> None:
    """On node-a of c1 for an hour: one GPU held, one held by nobody, one silent after half of it."""
    said.read(said.source(), [_held(1, TRAIN), _held(2, None), _held(3, TRAIN, until_s=1800)])
    Gpu.objects.update(first_sample_at=WINDOW.start - timedelta(days=1))


def _about(node: str = "", uuid: str = "") -> Incident:
    """Open for that hour, with one alert about a node of c1 or a GPU."""
    alerts.set_clock(WINDOW.start)
    alerts.post("Down", cluster="c1", node=node, UUID=uuid)
    made = incident(alert_ids=[Alert.objects.get().pk])
    alerts.set_clock(WINDOW.end)
    return acts.change(made.pk, Changes(state=IncidentState.RESOLVED), MIRA)


def test_hours_that_are_held_free_and_unknown_add_up_and_have_their_price() -> None:
    _fleet_of_three()
    found = impact.impact(_about(node="node-a"), WINDOW.end, teams=EVERYTHING)
    assert found is not None
    assert found == Impact(
        places=("node node-a",),
        from_at=WINDOW.start,
        until_at=WINDOW.end,
        scope="fleet",
        gpus=3,
        gpu_us=3 * HOUR,
        allocated_us=found.allocated_us,
        unallocated_us=HOUR,
        unknown_us=HOUR - (found.allocated_us - HOUR),
        costs=(Cost(Decimal("7.50"), "USD"),),
        unpriced=(),
    )
    assert 1.49 * HOUR < found.allocated_us < 1.53 * HOUR  # the last sample of the third counts for a moment


def test_machines_of_which_nothing_was_ever_measured_are_unknown_not_nothing() -> None:
    fleet.gpu("GPU-1", first_sample_at=WINDOW.start - timedelta(days=1))
    found = impact.impact(_about(uuid="GPU-1"), WINDOW.end, teams=EVERYTHING)
    assert found is not None
    assert (found.gpu_us, found.allocated_us, found.unknown_us) == (HOUR, 0, HOUR)


def test_a_model_without_a_price_is_named_and_not_in_the_sum(prices: dict[str, ports.HourPrice]) -> None:
    fleet.gpu("GPU-1", first_sample_at=WINDOW.start - timedelta(days=1))
    fleet.gpu("GPU-2", first_sample_at=WINDOW.start - timedelta(days=1), model="Odd")
    found = impact.impact(_about(node="node-a"), WINDOW.end, teams=EVERYTHING)
    assert found is not None
    assert (found.costs, found.unpriced) == ((Cost(Decimal("2.50"), "USD"),), ("Odd",))


def test_a_cluster_that_is_a_component_of_it_counts_with_all_its_machines() -> None:
    fleet.gpu("GPU-1", first_sample_at=WINDOW.start - timedelta(days=1))
    world.component("c1", kind="cluster")
    alerts.set_clock(WINDOW.start)
    made = incident(components=["c1"])
    found = impact.impact(made, WINDOW.end, teams=EVERYTHING)
    assert found is not None
    assert (found.places, found.gpus, found.gpu_us) == (("cluster c1",), 1, HOUR)


def test_it_ends_when_it_is_mitigated_and_no_machine_is_no_impact() -> None:
    fleet.gpu("GPU-1", first_sample_at=WINDOW.start - timedelta(days=1))
    alerts.set_clock(WINDOW.start)
    alerts.post("Down", node="node-a")
    made = incident(alert_ids=[Alert.objects.get().pk])
    alerts.set_clock(WINDOW.start + timedelta(minutes=30))
    made = acts.change(made.pk, Changes(state=IncidentState.MITIGATED), MIRA)
    found = impact.impact(made, WINDOW.end, teams=EVERYTHING)
    assert found is not None
    assert found.gpu_us == HOUR // 2
    assert impact.impact(incident(), WINDOW.end, teams=EVERYTHING) is None


def test_a_member_of_a_team_sees_what_the_own_team_held_there_and_a_stranger_nothing() -> None:
    own = fleet.team("own")
    fleet.rule(own, {"namespace": "team-a"})
    _fleet_of_three()
    made = _about(node="node-a")
    mine = impact.impact(made, WINDOW.end, teams=teams_visible_to(fleet.member(own)))
    assert mine is not None
    assert (mine.scope, mine.gpus, mine.gpu_us == mine.allocated_us, mine.unknown_us) == ("teams", 2, True, None)
    stranger = teams_visible_to(fleet.member(fleet.team("other")))
    assert impact.impact(made, WINDOW.end, teams=stranger) is None

"""What the engine itself writes is what the reports and the pages of escalations read."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role, User
from fleetledger.lib.buckets import Window
from monitoring.alerts import acts, clock, drain, flush
from monitoring.alerts.escalation import advance, reads_runs
from monitoring.alerts.learning import load, noise, times
from monitoring.alerts.learning.asked import Asked
from monitoring.alerts.models import ContactMethod, Destination, Escalation, Page, Run
from tests import world as fleet
from tests.alerts import world
from tests.alerts.delivery_world import hook
from tests.alerts.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db
ALL = TeamScope.everything()


@pytest.fixture
def server() -> Iterator[Receiver]:
    """Mira, who can be reached, is paged at once, and Tom, who cannot, five minutes later."""
    world.set_clock()
    with receiving() as found:
        route = {"receiver": "default", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1m"}
        world.tree(route=route | {"escalation": "primary"}, receivers=[hook(f"{found.url}/root")])
        _reachable(fleet.user("mira", first_name="Mira"), f"{found.url}/mira")
        fleet.user("tom", first_name="Tom")
        Escalation.objects.create(name="primary", steps=[{"person": "mira"}, {"wait": "5m"}, {"person": "tom"}])
        yield found


def _reachable(who: User, url: str) -> None:
    method = ContactMethod.objects.create(
        user=who, kind="webhook", label="Phone", created_at=world.START, verified_at=world.START
    )
    Destination.objects.create(contact=method, receiver=who.username, kind="webhook", config={"url": url})


def _go(seconds: float = 0) -> None:
    world.advance(seconds)
    flush.flush_due(clock.now())
    advance.advance_due(clock.now())
    drain.drain_due()


def _asked() -> Asked:
    return Asked(Window(world.START - timedelta(days=1), world.START + timedelta(days=1)))


@pytest.mark.usefixtures("server")
def test_a_page_that_was_delivered_is_a_load_and_a_time_until_somebody_had_it() -> None:
    world.post(severity="critical")
    _go()
    _go(1)
    page = Page.objects.get()
    assert (page.person.username, page.told_at) == ("mira", world.START)
    world.advance(59)
    acts.acknowledge([world.alert(severity="critical").pk], acts.Actor("mira"))
    world.advance(60)
    world.resolve(severity="critical")
    now = times.summary(_asked(), teams=ALL).now
    assert (now.to_acknowledge.median_s, now.to_resolve.median_s) == (60.0, 120.0)
    (rule,) = noise.noisiest(_asked(), teams=ALL).rules
    assert (rule.name, rule.messages, rule.pages) == ("Hot", 1, 1)
    (row,) = load.people(_asked(), load.reader(fleet.user("sam", role=Role.SRE)))
    assert (row.username, row.pages, row.by_day, row.unacknowledged) == ("mira", 1, 1, 0)


@pytest.mark.usefixtures("server")
def test_the_pages_tell_what_the_engine_did_and_does_next() -> None:
    world.post()
    _go()
    _go(1)
    sre = Client()
    sre.force_login(fleet.user("sam", role=Role.SRE))
    (run,) = reads_runs.of_alert(world.alert().pk, teams=ALL, at=clock.now())
    assert run.row.sentence == "Step 2 of 3 done; Tom is paged in 5 min unless somebody acknowledges."
    assert [(page.name, [way.state for way in page.ways]) for page in run.pages] == [("Mira", ["sent"])]
    _go(300)
    body = sre.get(f"/alerts/escalations/runs/{Run.objects.get().pk}/").content.decode()
    assert "Tom has no verified contact method." in body
    assert "All steps are done and nobody acknowledged." in body

"""The public page: what it says to everybody, what it never says, and what it says when nobody can look."""

import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import OperationalError
from django.test import Client

from monitoring.alerts import clock
from monitoring.availability import rollup
from monitoring.availability.incidents import acts
from monitoring.availability.incidents.acts import Changes
from monitoring.availability.models import IncidentState, MaintenanceWindow, State
from monitoring.availability.public import keeping, shown
from monitoring.availability.public.keeping import Keeper, keeper
from monitoring.availability.public.shown import Day, Service, Shown
from monitoring.availability.templatetags.public_status import day_bars, uptime
from tests.alerts import world as alerts
from tests.availability import world
from tests.availability.incidents_world import MIRA, incident
from tests.availability.world import after

pytestmark = pytest.mark.django_db
PAGE, JSON, ATOM = "/public/status/", "/public/status.json", "/public/status.atom"


@pytest.fixture(autouse=True)
def _inline(tmp_path: Path, settings: Any) -> Iterator[None]:
    """Built in the test's own transaction; the file lies in a folder of its own."""
    settings.STATE_DIR = str(tmp_path)
    keeper.is_inline = True
    keeper.forget()
    yield
    keeper.is_inline = False
    keeper.forget()


def page(path: str = PAGE) -> str:
    keeper.forget()
    answer = Client().get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def document() -> Any:
    return json.loads(page(JSON))


def _seen_now(name: str, state: State = State.UP, **fields: Any) -> None:
    """A public component whose probe has just said so."""
    made = world.component(name, is_public=True, **fields)
    world.see(world.probe(made), [(0, state)])
    alerts.set_clock(after(10))


def test_it_shows_public_components_alone_under_their_public_titles() -> None:
    _seen_now("api", title="api-gateway-7", public_title="The API")
    world.component("secret", title="Secret ledger")
    html = page()
    assert "The API" in html
    assert "Everything works" in html
    for hidden in ("Secret ledger", "api-gateway-7", "secret"):
        assert hidden not in html
        assert hidden not in page(JSON)


def test_what_is_not_known_is_grey_and_never_green() -> None:
    world.component("api", public_title="The API", is_public=True)
    alerts.set_clock(after(0))
    html = page()
    assert "verdict-unknown" in html
    assert '<span class="badge unknown">Not known</span>' in html
    assert "badge good" not in html
    assert "The API is not known at the moment" in html


def test_the_reason_of_an_outage_is_for_those_who_sign_in() -> None:
    made = world.component("api", public_title="The API", is_public=True)
    world.see(world.probe(made), [(0, State.DOWN)], detail="10.0.0.7 refused the connection")
    alerts.set_clock(after(10))
    html = page()
    assert "The API does not work" in html
    assert "10.0.0.7" not in html + page(JSON)


def test_days_are_drawn_from_what_was_counted() -> None:
    made = world.component("api", is_public=True)
    world.see(world.probe(made), [*world.every(30, 0, 43_200), *world.every(30, 43_200, 86_400, State.DOWN)])
    alerts.set_clock(after(86_400))
    rollup.roll_up(world.TODAY, after(86_400))
    service = document()["services"][0]
    assert len(service["days"]) == 90
    assert service["days"][-2] == {
        "on": "2026-11-02",
        "up": 0.5,
        "degraded": 0.0,
        "down": 0.5,
        "unknown": 0.0,
        "maintenance": 0.0,
    }
    assert (service["observed"], service["coverage"]) == (0.5, 1.0)


def test_public_incidents_are_told_with_their_updates_and_others_are_not() -> None:
    alerts.set_clock(after(0))
    incident("Internal words", is_public=False)
    found = incident("Internal title", is_public=True, public_title="Slow answers", public_text="We look into it.")
    acts.note(found.pk, "A note for us", MIRA)
    acts.note(found.pk, "A fix is rolling out", MIRA, is_public=True)
    html = page()
    for said in ("Slow answers", "We look into it.", "A fix is rolling out", "Being worked on"):
        assert said in html
    for hidden in ("Internal", "A note for us", "Mira"):
        assert hidden not in html + page(JSON) + page(ATOM)
    acts.change(found.pk, Changes(state=IncidentState.RESOLVED), MIRA)
    assert [row["title"] for row in document()["past"]] == ["Slow answers"]
    alerts.set_clock(after(15 * 86_400))
    assert document()["past"] == []


def test_not_everything_works_while_people_work_on_a_problem() -> None:
    _seen_now("api", public_title="The API")
    found = incident(is_public=True, public_title="Slow answers")
    assert (document()["state"], document()["sentence"]) == ("degraded", "We are working on a problem")
    acts.change(found.pk, Changes(state=IncidentState.MITIGATED), MIRA)
    assert (document()["state"], document()["sentence"]) == ("up", "Everything works")


def test_what_people_write_for_the_public_is_escaped() -> None:
    alerts.set_clock(after(0))
    incident(is_public=True, public_title="<script>alert(1)</script>", public_text="<img src=x>")
    html = page()
    assert "<script>alert(1)" not in html
    assert "<img" not in html
    ET.fromstring(page(ATOM))  # noqa: S314 our own


def test_planned_work_on_what_stands_above_is_told_without_its_reason() -> None:
    top = world.component("cluster-x")
    world.component("api", parent=top, is_public=True, public_title="The API")
    values: dict[str, Any] = {"created_by": "mira", "created_at": after(0)}
    for start in (-7200, 3600, 31 * 86_400):
        MaintenanceWindow.objects.create(
            component=top, from_at=after(start), until_at=after(start + 3600), reason="Firmware of rack 7", **values
        )
    alerts.set_clock(after(0))
    html = page()
    assert re.search(r"2 Nov 01:00 UTC</time> to <time[^>]*>2 Nov 02:00 UTC", html)
    assert "Firmware" not in html + page(JSON)
    assert len(document()["planned"]) == 1


def test_the_feed_has_an_entry_for_each_incident() -> None:
    alerts.set_clock(after(0))
    found = incident(is_public=True, public_title="Slow answers")
    acts.note(found.pk, "Fixed", MIRA, is_public=True)
    feed = ET.fromstring(page(ATOM))  # noqa: S314 our own
    atom = "{http://www.w3.org/2005/Atom}"
    (entry,) = feed.findall(f"{atom}entry")
    assert (entry.findtext(f"{atom}title"), "Fixed" in (entry.findtext(f"{atom}summary") or "")) == (
        "Slow answers (open)",
        True,
    )


@pytest.mark.parametrize("path", [PAGE, JSON, ATOM])
def test_it_needs_no_sign_in_sets_no_cookie_and_may_be_cached(path: str) -> None:
    alerts.set_clock(after(0))
    client = Client()
    first = client.get(path)
    assert (first.status_code, first["Cache-Control"], first.cookies.output()) == (200, "public, max-age=15", "")
    assert client.get(path, headers={"if-none-match": first["ETag"]}).status_code == 304
    assert client.post(path).status_code == 405


def test_without_a_database_the_file_is_shown_grey_with_its_time() -> None:
    _seen_now("api", public_title="The API")
    incident(is_public=True, public_title="Slow answers")
    page()
    elsewhere = Keeper(_broken, is_inline=True)
    assert elsewhere.latest().services[0].state == "up"  # so young that it still holds
    _age_file(31)
    found = elsewhere.latest()
    assert (found.is_old, found.state, found.troubles[0].title) == (True, "unknown", "Slow answers")
    assert found.at == clock.now()


def test_the_page_itself_says_since_when_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    _seen_now("api", public_title="The API")
    page()
    _age_file(31)
    monkeypatch.setattr(keeper, "_build", _broken)
    html = page()
    assert "We cannot look at the moment. What you see is as of" in html
    assert "How everything is now cannot be told" in html
    assert "badge good" not in html


def test_without_a_database_and_without_a_file_it_says_that_nothing_is_known(tmp_path: Path) -> None:
    empty = Keeper(_broken, is_inline=True)
    assert empty.latest() == keeping.NOTHING
    (tmp_path / keeping.FILE).write_bytes(b'{"wall_at": 1, "shown": []}')
    assert empty.latest() == keeping.NOTHING


def test_a_database_that_hangs_holds_up_a_visitor_for_a_moment_only() -> None:
    ending = threading.Event()

    def hang() -> Shown:
        ending.wait(30)
        raise OperationalError("the database is away")

    hanging = Keeper(hang)
    started = time.monotonic()
    assert hanging.latest().is_old
    waited = time.monotonic() - started
    ending.set()
    assert keeping.PATIENCE_S <= waited < keeping.PATIENCE_S + 0.8


def _broken() -> Shown:
    raise OperationalError("the database is away")


def _age_file(seconds: float) -> None:
    path = keeping.place()
    assert path is not None
    known = json.loads(path.read_bytes())
    path.write_text(json.dumps(known | {"wall_at": time.time() - seconds}))


def test_what_is_kept_comes_back_as_it_was() -> None:
    _seen_now("api")
    found = incident(is_public=True, public_title="Slow answers")
    acts.note(found.pk, "Fixed", MIRA, is_public=True)
    built = keeping.build()
    stored = json.loads(json.dumps(shown.packed(built), default=str))
    assert shown.unpacked(stored) == built


def _service(**fields: Any) -> Service:
    values: dict[str, Any] = {"observed": None, "coverage": None, "lower": None, "upper": None, "days": (), **fields}
    return Service("api", "API", "up", **values)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        (_service(), "not known"),
        (_service(observed=1.0, coverage=1.0, lower=1.0, upper=1.0), "100.00 %"),
        (_service(observed=0.999999, coverage=1.0, lower=0.99, upper=1.0), "99.99 %"),
        (_service(observed=0.995, coverage=0.9306, lower=0.92593, upper=0.995371), "92.59 % to 99.54 %"),
    ],
)
def test_availability_is_never_said_too_well(service: Service, said: str) -> None:
    assert uptime(service) == said


def test_a_day_of_little_trouble_shows_it_and_a_day_without_anything_is_grey() -> None:
    day = (clock.now() - timedelta(days=1)).date()
    drawn = str(day_bars(_service(days=(Day(day, up=0.999, down=0.001), Day(day)))))
    assert re.findall(r'class="(day-\w+)"[^>]* height="([\d.]+)"', drawn) == [
        ("day-up", "30.00"),
        ("day-down", "4.00"),
        ("day-none", "34.00"),
    ]

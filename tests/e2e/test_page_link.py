"""The link of a page in a real browser: one tap acknowledges, on a phone and at a desk, light and dark."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker

from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts.models import Alert, Escalation, Page
from monitoring.alerts.oncall import links
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.e2e.conftest import visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(900)]
HEIGHT, THUMB = 844, 44  # px: of the window, and what a thumb meets
LOOKS = [(width, theme) for width in (1440, 390) for theme in ("light", "dark")]
Pages = dict[tuple[int, str], str]


@pytest.fixture(scope="module")
def pages(site: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Pages]:
    """A link for each look, committed where the site sees it; taken away again, since other tests count what fires."""
    assert site
    with django_db_blocker.unblock():
        known = set(Alert.objects.values_list("pk", flat=True))
        person = world.user("paged", role=Role.SRE, first_name="Mira", last_name="Example")
        yield {look: path(paged(person, place)) for place, look in enumerate(LOOKS)}
        Alert.objects.exclude(pk__in=known).delete()
        Escalation.objects.filter(name="gpus").delete()
        person.delete()


def paged(person: User, place: int) -> Page:
    """About two alerts of a team."""
    team, now = Team.objects.get(slug="vision"), timezone.now()
    alerts = [
        pages_world.alert(
            name, team=team, since=now, severity=severity, node=f"e2e-{place}", gpu="3", annotations={"summary": said}
        )
        for name, severity, said in (
            (
                f"GpuFellOffTheBus{place}",
                "critical",
                "GPU 3 of e2e-1 has fallen off the bus (XID 79). The node must be drained.",
            ),
            (f"GpuHot{place}", "warning", "GPU 3 is at 91 °C for ten minutes."),
        )
    ]
    of = Escalation.objects.filter(name="gpus").first() or escalation_world.escalation("gpus", team=team)
    run = escalation_world.run(of, *alerts, at=now)
    return escalation_world.page(escalation_world.step(run), person, via=f"mail {place}", why="on call in primary")


def path(page: Page) -> str:
    return urlsplit(links.address(links.link(page.pk, page.person_id, page.at, None), "http://x")).path


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_one_tap_acknowledges(chromium: Browser, site: str, pages: Pages, width: int, theme: str) -> None:
    """With what a browser sends of its own: the form's protection wants to know where it comes from."""
    context = chromium.new_context(
        viewport={"width": width, "height": HEIGHT}, color_scheme="dark" if theme == "dark" else "light"
    )
    seen = visit(context, site)
    seen.open(pages[width, theme])
    button = seen.page.get_by_role("button", name="Acknowledge 2 alerts")
    box = button.bounding_box()
    assert box is not None
    assert (box["height"] >= THUMB, box["y"] + box["height"] < HEIGHT) == (True, True)
    button.click()
    seen.page.get_by_role("heading", name="You have it").wait_for()
    assert seen.page.get_by_text("Mira Example has it since").count() == 2
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert seen.complaints == []
    context.close()

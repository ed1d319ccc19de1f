"""A filled site on a port of its own and a Chromium in front of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from fleetledger.demo import seed
from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts.models import AlertState
from tests import world
from tests.alerts import pages_world

DAYS = 3
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(slots=True)
class Visit:
    """A page of the site with what the browser complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go there and wait until its figures are drawn."""
        self.page.goto(f"{self.address}{path}", wait_until="load")
        for place in range(self.page.locator("[data-chart]").count()):
            self.page.locator("[data-chart]").nth(place).locator(".plot-container, .chart-message").wait_for()

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{self.page.url}: {message.text}")


@pytest.fixture(scope="package")
def site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of the site with three days of the simulated fleet; emptied afterwards."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps a loop running in this thread
        now = timezone.now()
        seed.configure(seed.DEFAULT_PORT, now)
        seed.fill_history(now, DAYS, lambda _: None)
        seed.import_bills(now, DAYS, lambda _: None)
        world.user("browser", role=Role.ADMIN)
        _raise_alerts(now)
        server = LiveServer("127.0.0.1")
        try:
            yield server.url
        finally:
            server.stop()
            call_command("flush", verbosity=0, interactive=False)


def _raise_alerts(now: datetime) -> None:
    """Open alerts of two names, one that was told and one that nobody hears of any more."""
    vision = Team.objects.get(slug="vision")
    since = now - timedelta(minutes=40)
    place = pages_world.destination(team=vision)
    for number in range(3):
        alert = pages_world.alert("E2eIdle", team=vision, since=since, node=f"e2e-{number}", cluster="c1", gpu="0")
        pages_world.message(place, alert)
    pages_world.alert("E2eSilent", team=vision, since=since, state=AlertState.STALE, node="e2e-9")


@pytest.fixture(scope="package")
def chromium(site: str) -> Iterator[Browser]:
    """Closed before the site is, whose threads wait for open connections."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield browser
        connections.close_all()  # while Playwright's loop runs this thread has connections of its own
        browser.close()


@pytest.fixture(scope="package")
def signed_in(site: str) -> str:
    """A session cookie of an administrator."""
    client = Client()
    client.force_login(User.objects.get(username="browser"))
    return client.cookies["sessionid"].value


@pytest.fixture
def desk(chromium: Browser, site: str, signed_in: str) -> Iterator[Visit]:
    """A page of 1440 px in the light theme."""
    context = new_context(chromium, site, signed_in, width=1440, theme="light")
    yield visit(context, site)
    context.close()


def new_context(chromium: Browser, site: str, session: str, *, width: int, theme: str) -> BrowserContext:
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
        accept_downloads=True,
    )
    context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
    context.set_default_timeout(30_000)
    return context


def visit(context: BrowserContext, site: str) -> Visit:
    seen = Visit(context.new_page(), site)
    seen.page.on("console", lambda message: seen.hear(message))  # noqa: PLW0108 Playwright sets attributes on it
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen

"""The API's own page, in a real browser under the site's strict policy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, ConsoleMessage, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

CHROMIUM = Path("/usr/bin/chromium")
SCHEMA = Path(__file__).parents[2] / "platform/fleetledger/rest/openapi.yaml"
METHODS = {"get", "post", "put", "patch", "delete"}
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Playwright's loop runs in this thread; Django would refuse the database beside it
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def test_the_docs_show_every_endpoint_without_breaking_the_policy(browser: Browser, live_server: LiveServer) -> None:
    # the page draws only what is in view: this view holds all of it
    page = browser.new_page(viewport={"width": 1280, "height": 30_000})
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    elsewhere: list[str] = []
    page.on("console", listen)
    page.on("request", lambda request: elsewhere.append(request.url) if live_server.url not in request.url else None)
    page.goto(f"{live_server.url}/api/v1/docs/")
    expect(page.locator("#operations-tag-gpus, .opblock-tag").first).to_be_visible(timeout=60_000)
    document = yaml.safe_load(SCHEMA.read_text())
    operations = sum(len(METHODS & set(methods)) for methods in document["paths"].values())
    expect(page.locator(".opblock-summary")).to_have_count(operations, timeout=60_000)
    page.locator(".opblock-summary", has_text="/api/v1/gpus").first.click(timeout=60_000)
    expect(page.locator(".opblock-body").first).to_be_visible()
    assert [text for text in said if "Content Security Policy" in text or "Content-Security-Policy" in text] == []
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:"))] == []
    page.close()

"""What hands do to alerts: keys, choosing, one thumb on a phone, a silence with its preview."""

import re

import pytest
from playwright.sync_api import Browser, expect

from monitoring.alerts.models import Alert
from tests.e2e.conftest import Visit, new_context, visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(600)]

LIST = "/alerts/?q=E2eIdle&refresh=Off"


def test_j_and_k_move_and_enter_opens(desk: Visit) -> None:
    desk.open(LIST)
    rows = desk.page.locator("[data-alert]")
    desk.page.keyboard.press("j")
    expect(rows.nth(0)).to_have_class(re.compile("is-current"))
    desk.page.keyboard.press("j")
    expect(rows.nth(1)).to_have_class(re.compile("is-current"))
    desk.page.keyboard.press("k")
    expect(rows.nth(0)).to_have_class(re.compile("is-current"))
    number = rows.nth(0).get_attribute("data-alert")
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(f"**/alerts/{number}/")
    assert desk.complaints == []


def test_x_chooses_and_a_acknowledges_what_is_chosen(desk: Visit) -> None:
    desk.open(LIST)
    for key in ("j", "x", "j", "x"):
        desk.page.keyboard.press(key)
    expect(desk.page.locator("[data-bulk-count]")).to_have_text("2 chosen")
    desk.page.keyboard.press("a")
    expect(desk.page.locator(".notice.good")).to_contain_text("Acknowledged: 2 alerts.")
    assert "q=E2eIdle" in desk.page.url
    desk.page.locator("[data-all]").check()
    desk.page.get_by_role("button", name="Give back").click()
    expect(desk.page.locator(".notice.good")).to_contain_text("2 alerts given back")


def test_what_is_chosen_outlives_a_refresh(desk: Visit) -> None:
    desk.open(LIST)
    for key in ("j", "x"):
        desk.page.keyboard.press(key)
    with desk.page.expect_response(re.compile("/alerts/")):
        desk.page.keyboard.press("r")
    expect(desk.page.locator("[data-bulk-count]")).to_have_text("1 chosen")
    expect(desk.page.locator("[data-alert].is-current")).to_have_count(1)


def test_s_leads_to_a_silence_that_counts_what_it_withholds(desk: Visit) -> None:
    desk.open(LIST)
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("s")
    desk.page.wait_for_url("**/alerts/silences/new/**")
    expect(desk.page.locator("#preview")).to_contain_text("Withholds 1 alert now")
    desk.page.locator("[name=matchers]").fill('alertname="E2eIdle"')
    expect(desk.page.locator("#preview")).to_contain_text("Withholds 3 alerts now")
    assert desk.complaints == []


def test_g_and_a_lead_to_the_alerts(desk: Visit) -> None:
    desk.open("/help/")
    desk.page.keyboard.press("g")
    desk.page.keyboard.press("a")
    desk.page.wait_for_url("**/alerts/")


def test_one_thumb_acknowledges_on_a_phone(chromium: Browser, site: str, signed_in: str) -> None:
    alert = Alert.objects.filter(name="E2eIdle").latest("pk")
    context = new_context(chromium, site, signed_in, width=390, theme="light")
    seen = visit(context, site)
    seen.open(f"/alerts/{alert.pk}/")
    button = seen.page.get_by_role("button", name="Acknowledge")
    box = button.bounding_box()
    assert box is not None
    assert (box["height"] >= 48, box["width"] > 300, box["y"] > 700) == (True, True, True)
    button.click()
    expect(seen.page.locator(".notice.good")).to_contain_text("Acknowledged: E2eIdle.")
    seen.page.get_by_role("button", name="Give back").click()
    expect(seen.page.get_by_role("button", name="Acknowledge")).to_be_visible()
    assert seen.complaints == []
    context.close()

"""The keys of the status wall: j and k move through components, Enter opens one."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(600)]
CURRENT = "[data-component].is-current"


def test_j_and_k_move_through_components_and_enter_opens_one(desk: Visit) -> None:
    desk.open("/availability/")
    names = desk.page.locator("[data-component]:visible").evaluate_all("rows => rows.map(row => row.dataset.component)")
    current = desk.page.locator(CURRENT)
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        desk.page.keyboard.press(key)
        expect(current).to_have_attribute("data-component", names[place])
    desk.page.keyboard.press("j")
    expect(current).to_have_count(1)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(f"**/availability/{names[1]}/")
    assert desk.complaints == []


def test_ones_place_on_the_wall_outlives_a_refresh(desk: Visit) -> None:
    desk.open("/availability/")
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("j")
    name = desk.page.locator(CURRENT).get_attribute("data-component")
    desk.page.locator(CURRENT).evaluate("row => row.classList.add('before')")
    desk.page.keyboard.press("r")
    expect(desk.page.locator(".before")).to_have_count(0)
    expect(desk.page.locator(CURRENT)).to_have_attribute("data-component", str(name))
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(f"**/availability/{name}/")
    assert desk.complaints == []

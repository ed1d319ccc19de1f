"""What hands do: keys, the theme, tables of charts, zooming, filtering, downloads."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(600)]

TEAM = "/teams/vision/?from=now-7d&to=now"


def test_a_slash_leads_to_the_search_and_escape_back(desk: Visit) -> None:
    desk.open("/help/")
    desk.page.keyboard.press("/")
    expect(desk.page.locator("[data-search]")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator("[data-search]")).not_to_be_focused()


def test_a_question_mark_opens_the_keyboard_help(desk: Visit) -> None:
    desk.open("/help/")
    desk.page.keyboard.press("?")
    expect(desk.page.get_by_role("dialog")).to_contain_text("Search")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("dialog")).to_be_hidden()


def test_g_and_a_letter_open_a_page(desk: Visit) -> None:
    desk.open("/help/")
    desk.page.keyboard.press("g")
    desk.page.keyboard.press("t")
    desk.page.wait_for_url("**/teams/")
    assert desk.complaints == []


def test_the_theme_is_kept_by_the_server_so_that_no_page_flashes(desk: Visit) -> None:
    desk.open("/help/")
    desk.page.locator("[data-theme-toggle]").click()
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")
    answer = desk.page.request.get(f"{desk.address}/help/")
    assert 'data-theme="dark"' in answer.text()


def test_a_chart_is_drawn_again_in_the_other_theme(desk: Visit) -> None:
    desk.open(TEAM)
    line = desk.page.locator("#use .scatterlayer .js-line").first
    light = line.evaluate("element => getComputedStyle(element).stroke")
    desk.page.keyboard.press("d")
    expect(line).not_to_have_css("stroke", light)


def test_a_chart_shows_its_numbers_as_a_table_and_back(desk: Visit) -> None:
    desk.open(TEAM)
    button = desk.page.locator("[data-table-for=use]")
    button.click()
    expect(desk.page.locator("#use")).to_be_hidden()
    expect(desk.page.locator(".chart-table th").last).to_have_text("Allocated")
    expect(button).to_have_text("Show as chart")
    button.click()
    expect(desk.page.locator("#use")).to_be_visible()
    expect(desk.page.locator(".chart-table")).to_have_count(0)


def test_dragging_over_a_chart_writes_the_range_into_the_address(desk: Visit) -> None:
    desk.open(TEAM)
    box = desk.page.locator("#use .nsewdrag").first.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    desk.page.mouse.move(box["x"] + box["width"] * 0.7, middle)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=8)
    desk.page.mouse.up()
    desk.page.wait_for_url(re.compile(r"from=20"))
    query = parse_qs(urlsplit(desk.page.url).query)
    assert sorted(query) == ["from", "to"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:[0-5][05]Z", query[name][0]) for name in query)
    assert desk.complaints == []


def test_typing_into_a_filter_narrows_the_table_and_the_address(desk: Visit) -> None:
    desk.open("/fleet/nodes/")
    first = desk.page.locator("#fleet-rows .main a").first.inner_text()
    desk.page.locator("[data-filter]").fill(first)
    desk.page.wait_for_url(re.compile(r"q="))
    expect(desk.page.locator("#fleet-rows tbody tr")).to_have_count(1)
    assert desk.complaints == []


def test_a_heading_sorts_and_says_so(desk: Visit) -> None:
    desk.open("/teams/")
    desk.page.get_by_role("link", name="Team", exact=True).click()
    desk.page.wait_for_url(re.compile(r"sort=name"))
    expect(desk.page.locator("th[aria-sort=ascending]")).to_have_text("Team")


@pytest.mark.parametrize(("path", "name", "header"), [("/teams/", "teams.csv", "team,name,gpus,gpu_hours")])
def test_a_table_comes_as_csv(desk: Visit, path: str, name: str, header: str) -> None:
    desk.open(path)
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == name
    assert download.value.path().read_text().startswith(header)


def test_a_wrong_range_is_explained_on_the_page(desk: Visit) -> None:
    desk.open("/teams/?from=yesterday")
    expect(desk.page.get_by_role("alert")).to_contain_text("'yesterday' is not a time for 'from'.")


def test_copying_a_link_says_so(desk: Visit) -> None:
    desk.open("/teams/")
    desk.page.locator("[data-copy-link]").click()
    expect(desk.page.locator(".toast")).to_have_text("Link copied")

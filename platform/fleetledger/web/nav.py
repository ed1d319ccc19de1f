"""The site's navigation: which pages there are, for whom, and which of them is open."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from fleetledger.fleet.access import teams_visible_to


@dataclass(frozen=True, slots=True)
class Page:
    """An entry as declared: the name of its address, and whether it shows the fleet's matters only."""

    label: str
    url_name: str
    icon: str
    fleet_only: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as shown to one person on one page."""

    label: str
    url: str
    icon: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Navigation:
    groups: tuple[Group, ...]
    foot: tuple[Entry, ...]
    phone: tuple[Entry, ...]
    more: tuple[Entry, ...]


GROUPS: tuple[tuple[str, tuple[Page, ...]], ...] = (
    (
        "",
        (
            Page("Overview", "overview", "layout-dashboard"),
            Page("Teams", "teams", "users"),
            Page("Fleet", "fleet", "cpu", fleet_only=True),
            Page("Sources", "sources", "radio-tower", fleet_only=True),
        ),
    ),
    (
        "Costs",
        (
            Page("Chargeback", "chargeback", "wallet"),
            Page("Bills", "bills", "receipt", fleet_only=True),
        ),
    ),
)
FOOT = (Page("Settings", "settings", "settings"), Page("Help", "help", "circle-question-mark"))
ON_PHONE = (
    Page("Overview", "overview", "layout-dashboard"),
    Page("Teams", "teams", "users"),
    Page("Costs", "chargeback", "wallet"),
    Page("Fleet", "fleet", "cpu", fleet_only=True),
)


def navigation(request: HttpRequest) -> Navigation:
    """The entries that this person may open, with the open page marked."""
    sees_fleet = teams_visible_to(request.user).fleet
    groups = tuple(
        Group(label, entries) for label, pages in GROUPS if (entries := _entries(pages, request.path, sees_fleet))
    )
    foot = _entries(FOOT, request.path, sees_fleet)
    phone = _entries(ON_PHONE, request.path, sees_fleet)
    shown = {entry.url for entry in phone}
    listed = [entry for group in groups for entry in group.entries] + list(foot)
    return Navigation(groups, foot, phone, tuple(entry for entry in listed if entry.url not in shown))


def _entries(pages: tuple[Page, ...], path: str, sees_fleet: bool) -> tuple[Entry, ...]:  # noqa: FBT001 private
    entries = []
    for page in pages:
        if sees_fleet or not page.fleet_only:
            url = reverse(page.url_name)
            entries.append(Entry(page.label, url, page.icon, _is_current(url, path)))
    return tuple(entries)


def _is_current(url: str, path: str) -> bool:
    return path == url if url == "/" else path.startswith(url)

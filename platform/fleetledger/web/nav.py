"""The site's navigation: which pages there are, for whom, and which of them is open."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import reverse

from fleetledger.fleet.access import TeamScope, teams_visible_to

MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """An entry as declared: the name of its address, and whether it shows the fleet's matters only."""

    label: str
    url_name: str
    icon: str
    fleet_only: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as shown to one person on one page. `count`: what waits there, empty for nothing; `said`: as what."""

    label: str
    url: str
    icon: str
    is_current: bool
    count: str = ""
    said: str = ""


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
    (
        "Alerts",
        (
            Page("Alerts", "alerts", "bell"),
            Page("On-call", "on-call", "calendar"),
            Page("Escalations", "escalations", "trending-up"),
            Page("Silences", "silences", "bell-off"),
            Page("Routing", "alert-routing", "route"),
            Page("Deliveries", "deliveries", "send"),
            Page("Rules", "alert-rules", "list-tree"),
            Page("History", "alert-history", "history"),
            Page("Learning", "alert-learning", "chart-column"),
        ),
    ),
    (
        "Availability",
        (
            Page("Status", "availability", "activity"),
            Page("SLOs", "slos", "target"),
            Page("Incidents", "incidents", "siren"),
            Page("Healing", "healing", "wrench"),
        ),
    ),
    (
        "Drift",
        (
            Page("Models", "drift", "box"),
            Page("Review queue", "drift-queue", "scale"),
        ),
    ),
)
FOOT = (Page("Settings", "settings", "settings"), Page("Help", "help", "circle-question-mark"))
ON_PHONE = (
    Page("Overview", "overview", "layout-dashboard"),
    Page("Teams", "teams", "users"),
    Page("Costs", "chargeback", "wallet"),
    Page("Alerts", "alerts", "bell"),
)


_counts: dict[str, Callable[[TeamScope], int]] = {}
_words: dict[str, str] = {}


def register_count(url_name: str, count: Callable[[TeamScope], int], said: str = "waiting") -> None:
    """Rooms call this from their AppConfig.ready: how much waits on a page, at most MOST_COUNTED; `said`: as what."""
    _counts[url_name], _words[url_name] = count, said


def navigation(request: HttpRequest) -> Navigation:
    """The entries that this person may open, with the open page marked."""
    teams = teams_visible_to(request.user)
    waiting = {name: count(teams) for name, count in _counts.items()} if request.user.is_authenticated else {}
    entries = _Entries(request.path, teams.fleet, waiting)
    groups = tuple(Group(label, shown) for label, pages in GROUPS if (shown := entries.of(pages)))
    foot, phone = entries.of(FOOT), entries.of(ON_PHONE)
    on_phone = {entry.url for entry in phone}
    listed = [entry for group in groups for entry in group.entries] + list(foot)
    return Navigation(groups, foot, phone, tuple(entry for entry in listed if entry.url not in on_phone))


@dataclass(frozen=True, slots=True)
class _Entries:
    path: str
    sees_fleet: bool
    waiting: dict[str, int]

    def of(self, pages: tuple[Page, ...]) -> tuple[Entry, ...]:
        return tuple(self._entry(page) for page in pages if self.sees_fleet or not page.fleet_only)

    def _entry(self, page: Page) -> Entry:
        url = reverse(page.url_name)
        count = self.waiting.get(page.url_name, 0)
        said = "" if not count else f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count)
        return Entry(page.label, url, page.icon, _is_current(url, self.path), said, _words.get(page.url_name, ""))


def _is_current(url: str, path: str) -> bool:
    """Of entries that lie within each other the innermost."""
    return url == max((known for known in _addresses() if _is_within(path, known)), key=len, default="")


def _is_within(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)


@cache
def _addresses() -> frozenset[str]:
    listed = [page for _, pages in GROUPS for page in pages]
    return frozenset(reverse(page.url_name) for page in (*listed, *FOOT))

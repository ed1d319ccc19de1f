"""Our time intervals beside Debian's Alertmanager: what is an interval at all, and whom one mutes now."""

import json
import random
import subprocess
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from monitoring.alerts.intervals import entry_problems, intervals_of, muted_by
from tests import world as fleet
from tests.alerts import servers, world
from tests.alerts.receiver import receiving
from tests.alerts.test_amtool import amtool
from tests.embedded.running import wait_until

pytestmark = pytest.mark.realtime
ROUTES = 150
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
SHAPES: list[dict[str, Any]] = [
    {},
    {"times": [{"start_time": "00:00", "end_time": "24:00"}]},
    {"times": [{"start_time": "09:00", "end_time": "09:00"}]},
    {"times": [{"start_time": "22:00", "end_time": "06:00"}]},
    {"weekdays": ["Monday:FRIDAY"]},
    {"weekdays": ["saturday:sunday"]},
    {"weekdays": ["mon"]},
    {"weekdays": ["1:5"]},
    {"days_of_month": ["1:31"]},
    {"days_of_month": ["-31:-1"]},
    {"days_of_month": ["1:-1"]},
    {"days_of_month": ["15:-5"]},
    {"days_of_month": ["-1:1"]},
    {"days_of_month": ["0"]},
    {"days_of_month": ["32"]},
    {"days_of_month": ["-32:-1"]},
    {"days_of_month": ["20:10"]},
    {"days_of_month": ["-1:-5"]},
    {"days_of_month": ["a:b"]},
    {"months": ["January:3"]},
    {"months": ["1:12"]},
    {"days_of_month": ["27:-1"]},
    {"days_of_month": ["28:-1"]},
    {"days_of_month": ["1:-27"]},
    {"days_of_month": ["1:-28"]},
    {"days_of_month": ["-28:-31"]},
    {"months": ["12:1"]},
    {"months": ["jan"]},
    {"years": ["2026", "2028:2030"]},
    {"years": ["2030:2026"]},
    {"years": ["x"]},
    {"location": "Europe/Berlin"},
    {"location": "Mars/Olympus"},
]


@pytest.mark.parametrize("entry", SHAPES, ids=json.dumps)
def test_what_amtool_takes_for_an_interval_is_one_here_and_nothing_else(entry: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    intervals = [{"name": "one", "time_intervals": [entry]}]
    file.write_text(
        yaml.safe_dump({"route": {"receiver": "a"}, "receivers": [{"name": "a"}], "time_intervals": intervals})
    )
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not list(entry_problems(entry))), done.stdout + done.stderr


def test_alertmanager_mutes_the_same_routes_at_this_moment(tmp_path: Path) -> None:
    dice = random.Random(1126)
    intervals = [_interval(f"i{number}", dice) for number in range(ROUTES)]
    routes = [_route(number, dice) for number in range(ROUTES)]
    with receiving() as hook:
        receivers: list[dict[str, Any]] = [{"name": "rest"}]
        receivers += [
            {"name": f"r{number}", "webhook_configs": [{"url": f"{hook.url}/{number}"}]} for number in range(ROUTES)
        ]
        timing = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
        route = {"receiver": "rest", "group_by": ["alertname"], **timing, "routes": routes}
        config = yaml.safe_dump({"route": route, "receivers": receivers, "time_intervals": intervals})
        before = _telling(routes, intervals)
        with servers.alertmanager(tmp_path, config) as address:
            _post(address, "1")
            wait_until(lambda: len(before - {told.path for told in hook.told}) == 0)
            _post(address, "2")  # when all were told of this one too, those that are muted had their turn as well
            wait_until(lambda: before <= {told.path for told in hook.told if len(told.document["alerts"]) == 2})
        after = _telling(routes, intervals)
        told = {one.path for one in hook.told}
    assert before & after <= told <= before | after
    assert 40 < len(before) < ROUTES - 40


def _telling(routes: list[dict[str, Any]], intervals: list[dict[str, Any]]) -> set[str]:
    """The addresses that we would tell at this moment."""
    known, now = intervals_of(intervals), datetime.now(UTC)
    return {
        f"/hook/{number}"
        for number, route in enumerate(routes)
        if not muted_by(known, route.get("mute_time_intervals", ()), route.get("active_time_intervals", ()), now)
    }


def _route(number: int, dice: random.Random) -> dict[str, Any]:
    key = dice.choice(["mute_time_intervals", "active_time_intervals"])
    names = [f"i{number}"] + ([f"i{dice.randrange(ROUTES)}"] if dice.random() < 0.2 else [])
    return {"receiver": f"r{number}", "continue": True, key: names}


def _interval(name: str, dice: random.Random) -> dict[str, Any]:
    return {"name": name, "time_intervals": [_entry(dice) for _ in range(dice.randint(1, 2))]}


def _entry(dice: random.Random) -> dict[str, Any]:
    """Around this moment, so that about half of them hold."""
    zone = dice.choice(ZONES)
    now = datetime.now(ZoneInfo(zone))
    makers: dict[str, Callable[[], list[Any]]] = {
        "times": lambda: [_times(now, dice)],
        "weekdays": lambda: [_around(now.isoweekday() % 7, 0, 6, dice, _WEEKDAYS)],
        "days_of_month": lambda: [dice.choice([_around(now.day, 1, 31, dice), _from_the_end(now, dice)])],
        "months": lambda: [_around(now.month, 1, 12, dice)],
        "years": lambda: [_around(now.year, now.year - 2, now.year + 2, dice)],
    }
    keys = dice.sample(sorted(makers), dice.randint(1, 2))
    return {"location": zone} | {key: makers[key]() for key in keys}


_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


def _around(value: int, low: int, high: int, dice: random.Random, names: tuple[str, ...] = ()) -> str:
    first, last = sorted((dice.randint(low, high), dice.randint(low, high)))
    if dice.random() < 0.5:
        first, last = min(first, value), max(last, value)
    return f"{names[first]}:{names[last]}" if names else f"{first}:{last}"


def _from_the_end(now: datetime, dice: random.Random) -> str:
    length = ((now.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    return _around(now.day - length - 1, -31, -1, dice)


def _times(now: datetime, dice: random.Random) -> dict[str, str]:
    minute = now.hour * 60 + now.minute
    first, end = sorted(dice.sample(range(1441), 2))
    if dice.random() < 0.5:
        first, end = min(first, minute), max(end, minute + 1)
    return {"start_time": f"{first // 60:02d}:{first % 60:02d}", "end_time": f"{end // 60:02d}:{end % 60:02d}"}


def _post(address: str, number: str) -> None:
    body = json.dumps([{"labels": {"alertname": "Hot", "number": number}}]).encode()
    request = urllib.request.Request(  # noqa: S310 our own loopback server
        f"{address}/api/v2/alerts", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 as above
        pass


SHOP: dict[str, Any] = {
    "name": "shop",
    "time_intervals": [
        {
            "times": [{"start_time": "09:00", "end_time": "24:00"}],
            "weekdays": ["monday:friday"],
            "days_of_month": [1, "-3:-1"],
            "months": ["december", 1],
            "years": [2026],
            "location": "Europe/Berlin",
        }
    ],
}
ROUTE: dict[str, Any] = {
    "receiver": "default",
    "routes": [
        {"receiver": "a", "matchers": ["team=vision"], "mute_time_intervals": ["shop"]},
        {"receiver": "b", "matchers": ["team=speech"], "active_time_intervals": ["shop"], "escalation": "x"},
    ],
}


@pytest.mark.django_db(transaction=True)
def test_amtool_asks_our_status_and_routes_by_it_though_routes_are_muted(tmp_path: Path) -> None:
    acme = fleet.team("acme")
    receivers = [{"name": name} for name in ("default", "a", "b")]
    world.tree(acme, ROUTE, receivers, time_intervals=[SHOP])
    secret = fleet.token("acme", ["write:alerts"], team=acme)
    client = tmp_path / "client.yml"
    client.write_text(yaml.safe_dump({"authorization": {"credentials": secret}}))
    with servers.web(tmp_path) as address:
        words = [f"--alertmanager.url={address}/t/acme", f"--http.config.file={client}", "config"]
        said = {team: amtool(*words, "routes", "test", f"team={team}").strip() for team in ("vision", "speech", "nlp")}
        shown = amtool(*words, "show")
    assert said == {"vision": "a", "speech": "b", "nlp": "default"}
    assert "escalation" not in shown
    assert yaml.safe_load(shown)["time_intervals"][0]["time_intervals"][0] == SHOP["time_intervals"][0] | {
        "days_of_month": ["1", "-3:-1"],
        "months": ["december", "1"],
        "years": ["2026"],
    }

"""Pages without data and pages of others: empty states that help, and nothing for strangers."""

import re
from pathlib import Path

import pytest
from django.test import Client

from fleetledger import paths
from fleetledger.fleet.models import Role, User
from tests import world

pytestmark = pytest.mark.django_db

STATIC = paths.PACKAGE / "web" / "static" / "web"


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/", "Nothing has arrived yet"),
        ("/teams/", "No teams yet"),
        ("/fleet/", "No machines yet"),
        ("/fleet/nodes/", "No machines yet"),
        ("/fleet/gpus/", "No machines yet"),
        ("/sources/", "No sources yet"),
    ],
)
def test_an_empty_page_names_the_next_command(path: str, sentence: str) -> None:
    text = _text(_client(world.admin()), path)
    assert sentence in text
    assert "fleetledger apply fleet.yaml" in text


def test_a_team_without_use_says_what_may_be_missing() -> None:
    world.team("vision", name="Vision Research")
    text = _text(_client(world.admin()), "/teams/vision/")
    assert "No GPU was held in this range" in text
    assert "No cost yet this month" in text


@pytest.mark.parametrize(
    "path",
    [
        "/teams/speech/",
        "/teams/speech/?format=csv",
        "/teams/speech/figures/use.json",
        "/teams/speech/figures/busy-hours.json",
        "/fleet/",
        "/fleet/nodes/",
        "/fleet/gpus/",
        "/fleet/nodes/c1/node-a/",
        "/fleet/gpus/GPU-1/",
        "/fleet/gpus/GPU-1/figures/power.json",
        "/sources/",
    ],
)
def test_a_member_of_another_team_finds_nothing(path: str) -> None:
    world.team("speech")
    world.gpu("GPU-1", node=world.node("node-a"))
    assert _client(world.member(world.team("vision"))).get(path).status_code == 404


def test_a_member_sees_the_own_team_alone_in_the_list_and_its_csv() -> None:
    world.team("speech", name="Speech")
    client = _client(world.member(world.team("vision", name="Vision")))
    text = _text(client, "/teams/")
    assert ("Vision" in text, "Speech" in text) == (True, False)
    answer = client.get("/teams/?format=csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [line.split(",")[0] for line in lines] == ["team", "vision"]


def test_who_is_not_signed_in_is_asked_to() -> None:
    for path in ("/", "/teams/", "/fleet/", "/sources/", "/figures/use.json", "/data-age/"):
        assert Client().get(path).headers["Location"].startswith("/sign-in/"), path


def test_navigation_leaves_out_what_a_role_may_not_open() -> None:
    member = _client(world.member(world.team("vision"))).get("/help/").content.decode()
    sre = _client(world.user(role=Role.SRE)).get("/help/").content.decode()
    assert ('href="/sources/"' in member, 'href="/sources/"' in sre) == (False, True)
    assert ('href="/fleet/"' in member, 'href="/fleet/"' in sre) == (False, True)


def test_every_page_has_the_one_strict_policy() -> None:
    answer = _client(world.admin()).get("/teams/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("template", sorted(paths.templates().rglob("*.html")), ids=lambda path: path.name)
def test_no_template_carries_style_or_script_of_its_own(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|\son\w+=\"|<style|<script(?![^>]*\bsrc=)|\|safe\b", text)


def test_every_icon_that_a_template_asks_for_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    asked = {
        name
        for template in paths.templates().rglob("*.html")
        for name in re.findall(r'{% icon "([\w-]+)"|icon="([\w-]+)"', template.read_text())
        for name in name
        if name
    }
    assert asked - known == set()


def test_every_colour_that_a_style_or_figure_names_is_a_token() -> None:
    tokens = set(re.findall(r"(--[\w-]+):", (STATIC / "tokens.css").read_text()))
    used = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"var\((--[\w-]+)", sheet.read_text())}
    assert used - tokens == set()


def test_both_dark_themes_are_the_same() -> None:
    text = (STATIC / "tokens.css").read_text()
    chosen = re.search(r':root\[data-theme="dark"\] \{(.*?)\}', text, re.DOTALL)
    system = re.search(r":root:not\(\[data-theme\]\) \{(.*?)\}", text, re.DOTALL)
    assert chosen is not None
    assert system is not None
    assert chosen[1].split() == system[1].split()


def test_static_files_change_their_address_with_their_content() -> None:
    page = _client(world.admin()).get("/help/").content.decode()
    assert re.search(r'href="/static/web/tokens\.css\?v=[0-9a-f]{10}"', page)

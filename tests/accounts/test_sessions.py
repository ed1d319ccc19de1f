"""Signing in, being locked out, the set-up link and passwords."""

import pytest
from django.test import Client

from fleetledger.fleet import first_setup
from fleetledger.fleet.models import Role, User
from tests import world

pytestmark = pytest.mark.django_db


def _sign_in(client: Client, username: str, password: str) -> int:
    return client.post("/sign-in/", {"username": username, "password": password}).status_code


@pytest.mark.parametrize("path", ["/settings/", "/settings/tokens/", "/settings/people/", "/help/", "/search/?q=ab"])
def test_a_stranger_is_asked_to_sign_in_and_comes_back(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/?next=")


def test_the_right_password_leads_to_the_page_that_was_asked_for(client: Client) -> None:
    world.user("mira")
    answer = client.post("/sign-in/", {"username": "mira", "password": world.PASSWORD, "next": "/settings/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/settings/")


def test_nobody_is_sent_to_another_site_after_signing_in(client: Client) -> None:
    world.user("mira")
    answer = client.post("/sign-in/", {"username": "mira", "password": world.PASSWORD, "next": "https://evil.example/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_wrong_name_and_a_wrong_password_are_refused_in_the_same_words(client: Client) -> None:
    world.user("mira")
    wrong_password = client.post("/sign-in/", {"username": "mira", "password": "no"})
    wrong_name = client.post("/sign-in/", {"username": "nobody", "password": "no"})
    for answer in (wrong_password, wrong_name):
        assert "The name or the password is wrong." in answer.content.decode()


def test_eight_failures_lock_the_name_also_for_the_right_password(client: Client) -> None:
    world.user("mira")
    for _ in range(8):
        _sign_in(client, "mira", "wrong")
    answer = client.post("/sign-in/", {"username": "mira", "password": world.PASSWORD})
    assert answer.status_code == 429
    assert "this name is locked for 15 minutes" in answer.content.decode()


def test_signing_out_takes_a_post(client: Client) -> None:
    client.force_login(world.user())
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/settings/").status_code == 302


def test_the_set_up_link_makes_the_first_administrator_once(client: Client) -> None:
    path = first_setup.path()
    assert path is not None
    words = {"username": "ada", "password": world.PASSWORD, "repeated": world.PASSWORD}
    assert client.post(path, words).status_code == 302
    assert list(User.objects.values_list("username", "role")) == [("ada", Role.ADMIN)]
    assert client.get("/settings/people/").status_code == 200
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("password", "repeated", "sentence"),
    [("short", "short", "too short"), (world.PASSWORD, "other", "The two passwords differ."), ("", "", "required")],
)
def test_the_set_up_link_says_what_is_wrong(client: Client, password: str, repeated: str, sentence: str) -> None:
    path = first_setup.path()
    assert path is not None
    answer = client.post(path, {"username": "ada", "password": password, "repeated": repeated})
    assert (answer.status_code, User.objects.count()) == (422, 0)
    assert sentence in answer.content.decode()


def test_a_made_up_set_up_link_is_no_page(client: Client) -> None:
    assert client.get("/set-up/made-up/").status_code == 404


def test_a_new_password_keeps_this_session_and_ends_the_others(client: Client) -> None:
    user = world.user("mira")
    other = Client()
    for one in (client, other):
        one.force_login(user)
    new = "another good phrase"
    words = {"old_password": world.PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/settings/password/", words).status_code == 302
    assert (client.get("/settings/").status_code, other.get("/settings/").status_code) == (200, 302)
    assert _sign_in(Client(), "mira", new) == 302

"""The last picture of everything: what the file holds, and the page that is made of it without a database."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from monitoring.availability import judging
from monitoring.availability.outage import snapshot
from monitoring.availability.outage.middleware import last_picture
from monitoring.availability.states import State
from tests import world as fleet
from tests.availability import world
from tests.availability.world import after, every, see


@pytest.mark.django_db
def test_it_holds_what_is_public_under_its_public_name_and_no_reasons(settings: Settings, tmp_path: Path) -> None:
    settings.STATE_DIR = str(tmp_path)
    shop = world.component("shop", is_public=True, public_title="The shop")
    see(world.probe(shop), every(30, 0, 90, State.DOWN), detail="No answer from 10.0.0.3:443 within 5 s.")
    world.component("secret-db")
    _, tiles = judging.now_of_all(after(90))
    snapshot.write(snapshot.of(tiles, after(90)))
    assert snapshot.read() == snapshot.Snapshot(after(90), (snapshot.Remembered("The shop", "down"),))
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]
    assert "10.0.0.3" not in (tmp_path / "status.json").read_text()
    page = last_picture().content.decode()
    assert "Unknown: down as of 00:01:30Z." in page
    assert "Down: it does not answer." in page


def test_without_a_file_or_with_a_broken_one_the_page_still_says_what_is_known(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STATE_DIR = str(tmp_path)
    assert "Nothing was written down before." in last_picture().content.decode()
    for text in ("", "{}", '{"at": "yesterday", "components": []}', "[1]"):
        (tmp_path / "status.json").write_text(text)
        assert snapshot.read() is None, text
    settings.STATE_DIR = ""
    assert snapshot.read() is None


@pytest.mark.django_db
def test_while_the_database_answers_it_is_the_wall_for_those_who_are_signed_in(client: Client) -> None:
    assert client.get("/status").status_code == 302
    client.force_login(fleet.admin())
    assert client.get("/status").status_code == 200

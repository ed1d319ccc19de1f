"""Search finds by name what a person may see."""

import pytest
from django.test import Client

from fleetledger.fleet.models import Team, User
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def vision() -> Team:
    """Two teams with a workload each."""
    team, other = world.team("vision", name="Vision Research"), world.team("speech", name="Speech")
    world.rule(team, {"namespace": "vision"})
    world.rule(other, {"namespace": "speech"})
    world.workload("train-vision-1", namespace="vision")
    world.workload("train-speech-1", namespace="speech")
    world.gpu("GPU-aaaa-bbbb", node=world.node("node-a"))
    return team


def _found(user: User, query: str) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/search/", {"q": query}).content.decode().partition('id="found"')[2]


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ("vision res", "/teams/vision/"),
        ("train-vision", "/teams/vision/?q=train-vision-1"),
        ("node-a", "/fleet/nodes/c1/node-a/"),
        ("gpu-AAAA", "/fleet/gpus/GPU-aaaa-bbbb/"),
    ],
)
def test_everything_is_found_by_its_name(vision: Team, query: str, address: str) -> None:
    assert f'href="{address}"' in _found(world.admin(), query)


def test_a_member_finds_the_own_team_only(vision: Team) -> None:
    member = world.member(vision)
    assert "train-vision-1" in _found(member, "train")
    assert "train-speech-1" not in _found(member, "train")
    assert 'href="/teams/speech/"' not in _found(member, "speech")


def test_a_member_whose_team_held_no_gpu_finds_none(vision: Team) -> None:
    member = world.member(vision)
    assert "GPU-aaaa-bbbb" not in _found(member, "gpu-AAAA")
    assert "/fleet/nodes/" not in _found(member, "node-a")


@pytest.mark.parametrize("query", ["", "a", "%", "nothing like it", "\x00", "'; drop table"])
def test_nothing_found_is_said(vision: Team, query: str) -> None:
    text = _found(world.admin(), query)
    assert "Nothing found" in text or "Type two letters or more" in text


def test_names_cannot_carry_markup(db: None) -> None:
    world.team("x", name="<script>alert(1)</script>")
    assert "<script>alert" not in _found(world.admin(), "script")

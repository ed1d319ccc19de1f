"""A repeated change is done once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from fleetledger.fleet.models import IdempotencyKey, User
from fleetledger.rest.idempotency import once
from fleetledger.rest.problems import ConflictError, ProblemError
from tests import world

pytestmark = pytest.mark.django_db


class Work:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> Response:
        self.done += 1
        return Response({"id": self.done}, status=202)


def asking(user: User, key: str) -> Request:
    request = Request(APIRequestFactory().post("/api/v1/bill-imports", headers={"Idempotency-Key": key} if key else {}))
    request.user = user
    return request


def told(response: Response) -> tuple[int, Any]:
    return response.status_code, response.data


def test_the_same_key_is_answered_the_same_and_done_once() -> None:
    user, work = world.user(), Work()
    answers = [once(asking(user, "k1"), "sha", work) for _ in range(3)]
    assert [told(answer) for answer in answers] == [(202, {"id": 1})] * 3
    assert (work.done, answers[0].has_header("Idempotency-Replayed"), answers[1]["Idempotency-Replayed"]) == (
        1,
        False,
        "true",
    )


def test_without_a_key_each_request_is_done() -> None:
    user, work = world.user(), Work()
    for _ in range(2):
        once(asking(user, ""), "sha", work)
    assert work.done == 2


def test_keys_belong_to_their_caller() -> None:
    work = Work()
    for _ in range(2):
        once(asking(world.user(), "k1"), "sha", work)
    assert work.done == 2


def test_a_key_with_another_request_is_refused() -> None:
    user = world.user()
    once(asking(user, "k1"), "sha", Work())
    with pytest.raises(ProblemError, match="another request"):
        once(asking(user, "k1"), "other", Work())


def test_a_request_still_at_work_is_told() -> None:
    user = world.user()

    def again() -> Response:
        return once(asking(user, "k1"), "sha", Work())

    with pytest.raises(ConflictError, match="still at work"):
        once(asking(user, "k1"), "sha", again)


def test_a_failed_request_frees_its_key() -> None:
    user, work = world.user(), Work()

    def fails() -> Response:
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        once(asking(user, "k1"), "sha", fails)
    assert told(once(asking(user, "k1"), "sha", work)) == (202, {"id": 1})


def test_a_key_is_forgotten_after_a_day() -> None:
    user, work = world.user(), Work()
    once(asking(user, "k1"), "sha", work)
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        once(asking(user, "k1"), "other", work)
    assert (work.done, IdempotencyKey.objects.count()) == (2, 1)


@pytest.mark.parametrize("key", ["k" * 256, "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    with pytest.raises(ProblemError):
        once(asking(world.user(), key), "sha", Work())

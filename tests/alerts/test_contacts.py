"""How people are reached: methods added and proved to be theirs, secrets sealed, rules, quiet hours, and strangers."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.core.cache import cache
from django.test import Client, override_settings

from fleetledger.fleet.models import Role, User
from fleetledger.fleet.sealing import SealError, opened, seal
from monitoring.alerts.contacts import trials
from monitoring.alerts.escalation.ways import ways_to
from monitoring.alerts.models import ContactMethod, ContactTrial, Destination, PersonalRule
from tests import world as fleet
from tests.alerts import world
from tests.alerts.mailbox import Mailbox, Manners, mailbox
from tests.alerts.receiver import Receiver, Reply, receiving

pytestmark = pytest.mark.django_db
OUTSIDE = "https://hooks.example.org/services/T0/B0/abcdef"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    world.set_clock()


@pytest.fixture
def mira() -> User:
    return fleet.user("mira")


@pytest.fixture
def post() -> Iterator[Mailbox]:
    with mailbox(Manners()) as box, override_settings(SMTP_HOST=box.address):
        yield box


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def call(path: str, who: User | None, *, method: str = "GET", body: Any = None, status: int = 200, **extra: Any) -> Any:
    client = Client()
    if who is not None:
        client.force_login(who)
    sent: dict[str, Any] = {}
    if method != "GET":
        sent = {"data": b"" if body is None else orjson.dumps(body), "content_type": "application/json"}
    answer = client.generic(method, f"/api/v1/{path}", **sent, **extra)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None


def add(who: User, status: int = 201, **body: Any) -> Any:
    return call("contact-methods", who, method="POST", body=body, status=status)


def refusal(who: User, **body: Any) -> str:
    return str(add(who, status=422, **body)["detail"])


def mailed_code(box: Mailbox) -> str:
    found = re.search(rb"(\d{6}) is the code", box.mails[-1])
    assert found, box.mails[-1]
    return found[1].decode()


def verified(who: User, box: Mailbox, address: str = "mira@example.org") -> int:
    """A mail address of theirs, added and verified as a person would."""
    made: int = add(who, kind="email", to=address)["id"]
    call(f"contact-methods/{made}/code", who, method="POST")
    call(f"contact-methods/{made}/verify", who, method="POST", body={"code": mailed_code(box)})
    return made


def test_a_mail_address_is_used_once_its_owner_has_typed_the_code(mira: User, post: Mailbox) -> None:
    made = add(mira, kind="email", to="mira@example.org")
    assert made == {
        "id": made["id"],
        "position": 1,
        "kind": "email",
        "label": "Mail",
        "shown": "mira@example.org",
        "created_at": "2026-11-02T12:00:00Z",
        "verified_at": None,
        "vouched_by": None,
        "code_sent_at": None,
        "waits_for_code": False,
        "last_delivered_at": None,
        "last_error": None,
        "last_error_at": None,
    }
    assert ways_to(mira, "critical", world.START).methods == ()
    sent = call(f"contact-methods/{made['id']}/code", mira, method="POST")
    assert sent == {"delivered": True, "answer": f"{post.address} took it for 1."}
    assert post.recipients == ["mira@example.org"]
    path = f"contact-methods/{made['id']}/verify"
    wrong = call(path, mira, method="POST", body={"code": "x"}, status=422)["detail"]
    assert wrong == "That is not the code. 4 tries left."
    done = call(path, mira, method="POST", body={"code": mailed_code(post)})
    assert (done["verified_at"], done["waits_for_code"]) == ("2026-11-02T12:00:00Z", False)
    assert [way.label for way in ways_to(mira, "critical", world.START).methods] == ["Mail"]


def test_a_code_runs_out_and_five_answers_are_all(mira: User, post: Mailbox) -> None:
    method = add(mira, kind="email", to="mira@example.org")["id"]

    def answer(code: str) -> str:
        return str(
            call(f"contact-methods/{method}/verify", mira, method="POST", body={"code": code}, status=422)["detail"]
        )

    assert answer("123456") == "No code was sent yet. Send one first."
    call(f"contact-methods/{method}/code", mira, method="POST")
    first = mailed_code(post)
    world.advance(15 * 60)
    assert answer(first) == "That code has run out. Send a new one."
    call(f"contact-methods/{method}/code", mira, method="POST")
    assert [answer("wrong") for _ in range(5)] == [
        "That is not the code. 4 tries left.",
        "That is not the code. 3 tries left.",
        "That is not the code. 2 tries left.",
        "That is not the code. 1 try left.",
        "That is not the code, and it is good no more. Send a new one.",
    ]
    assert answer(mailed_code(post)) == "That code was answered wrongly too often. Send a new one."
    assert not ContactMethod.objects.get(pk=method).verified_at


def test_codes_are_sent_once_a_minute_and_ten_times_a_day_to_whatever_methods(mira: User, post: Mailbox) -> None:
    def send(method: int, status: int) -> Any:
        return call(f"contact-methods/{method}/code", mira, method="POST", status=status)

    for number in range(trials.MOST_A_DAY):
        method = add(mira, kind="email", to=f"m{number}@example.org")["id"]
        send(method, 200)
        world.advance(10)
        said = send(method, 429)["detail"]
        assert said == "Codes and tests are sent once a minute, 10 a day. Try again in 50 s."
        call(f"contact-methods/{method}", mira, method="DELETE", status=204)
        world.advance(50)
    last = add(mira, kind="email", to="last@example.org")["id"]
    assert send(last, 429)["detail"].endswith("Try again in 1430 minutes.")
    assert len(post.mails) == 10


def test_what_is_secret_is_sealed_and_neither_shown_nor_echoed(mira: User, hook: Receiver) -> None:
    hook.decide = lambda told: Reply(400, body=f"no {told.raw.decode()[-3000:]} {told.path}")
    url = f"{hook.url}/secret-path"
    made = add(mira, kind="webhook", url=url, secret="hush-hush")
    assert made["shown"] == f"http://127.0.0.1:{hook.server_address[1]}/…"
    config = Destination.objects.get(contact=made["id"]).config
    assert {key: list(value) for key, value in config.items()} == {"url": ["sealed"], "secret": ["sealed"]}
    assert opened(config["url"]["sealed"]) == url
    said = call(f"contact-methods/{made['id']}/code", mira, method="POST")
    code = re.search(r"(\d{6}) is the code", hook.told[0].raw.decode())
    assert code
    assert "x-fleetledger-signature" in hook.told[0].headers
    assert not said["delivered"]
    assert code[1] not in said["answer"]
    assert "secret-path" not in said["answer"]
    assert code[1] not in str(ContactTrial.objects.values())
    assert code[1] not in str(call("contact-methods", mira))


def test_a_secret_sealed_under_a_lost_key_is_refused_in_words_and_under_a_former_one_still_opens(mira: User) -> None:
    with override_settings(SECRET_KEY="former"):
        sealed = seal("hush")["sealed"]
        made = add(mira, kind="webhook", url=OUTSIDE)["id"]
    with override_settings(SECRET_KEY="present", SECRET_KEY_FALLBACKS=["former"]):
        assert opened(sealed) == "hush"
    with pytest.raises(SealError):
        opened(sealed)
    said = call(f"contact-methods/{made}/code", mira, method="POST")
    sentence = "A secret was sealed under a SECRET_KEY that is gone. Enter it again, or restore the key."
    assert said == {"delivered": False, "answer": sentence}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("webhook", {"url": "http://127.0.0.1:1/x"}),
        ("slack", {"url": "http://localhost:1/x"}),
        ("apprise", {"url": "json://127.0.0.1:1/x"}),
        ("webhook", {"url": "http://169.254.169.254/latest/meta-data"}),
    ],
)
def test_people_reach_nothing_inside_that_was_not_allowed(mira: User, kind: str, given: dict[str, str]) -> None:
    body: dict[str, Any] = {"kind": kind, **given}
    made = add(mira, **body)["id"]
    with override_settings(NOTIFY_ALLOW=[]):
        said = call(f"contact-methods/{made}/code", mira, method="POST")
    assert not said["delivered"]
    assert "FLEETLEDGER_NOTIFY_ALLOW" in said["answer"]


def test_people_name_no_server_no_file_and_no_environment(mira: User) -> None:
    assert refusal(mira, kind="email", to="mira@example.org", smarthost="10.0.0.1:25").startswith("No part is called")
    assert refusal(mira, kind="pagerduty", routing_key="x" * 32, url=OUTSIDE) == (
        "PagerDuty has no 'url'. Known: routing_key."
    )
    assert refusal(mira, kind="webhook", url={"env": "SECRET_KEY"}) == "'url' is a text of at most 2000 characters."
    assert refusal(mira, kind="webhook", url="ftp://example.org/x") == "This is no address. Write https://HOST/PATH."
    assert refusal(mira, kind="email", to="Mira <m@example.org>, x@example.org") == (
        "This is no mail address. Write it as mira@example.org."
    )
    assert refusal(mira, kind="email") == "'to' is missing: without it nobody can be reached."
    assert refusal(mira, kind="pigeon", to="x") == (
        "No kind is called 'pigeon'. Known: apprise, email, pagerduty, slack, webhook."
    )
    assert not ContactMethod.objects.exists()


def test_methods_have_an_order_and_names_and_go_for_good(mira: User) -> None:
    first, second, third = (add(mira, kind="email", to=f"{name}@example.org") for name in ("a", "b", "c"))
    assert [row["label"] for row in (first, second, third)] == ["Mail", "Mail 2", "Mail 3"]
    body = {"order": [third["id"], first["id"], second["id"]]}
    answer = call("contact-methods/order", mira, method="PUT", body=body)
    assert [row["label"] for row in answer["results"]] == ["Mail 3", "Mail", "Mail 2"]
    said = call("contact-methods/order", mira, method="PUT", body={"order": [first["id"]]}, status=422)["detail"]
    assert said == f"Give each contact method once. They are: {third['id']}, {first['id']}, {second['id']}."
    path = f"contact-methods/{first['id']}"
    assert call(path, mira, method="PATCH", body={"label": "Home"})["label"] == "Home"
    assert call(path, mira, method="PATCH", body={"label": "Mail 2"}, status=422)["detail"] == (
        "You have a contact method called 'Mail 2' already. Give this one another name."
    )
    PersonalRule.objects.create(user=mira, method_id=first["id"])
    call(path, mira, method="DELETE", status=204)
    call(path, mira, status=404)
    assert not PersonalRule.objects.exists()
    assert Destination.objects.get(contact=first["id"]).removed_at == world.START


def test_rules_say_by_which_method_after_how_long(mira: User, post: Mailbox) -> None:
    method = verified(mira, post)
    assert call("notification-rules", mira) == {
        "own": False,
        "reachable": True,
        "rules": [{"method": method, "label": "Mail", "after_seconds": 0, "used": True}],
    }
    body = {"rules": [{"method": method, "after": "5m"}, {"method": method}]}
    answer = call("notification-rules", mira, method="PUT", body=body)
    assert [(rule["after_seconds"], answer["own"]) for rule in answer["rules"]] == [(0, True), (300, True)]
    assert [way.after_s for way in ways_to(mira, "critical", world.START).methods] == [0, 300]
    bad: list[tuple[Any, str]] = [
        ([{"method": method, "after": "25h"}], "A rule pages at once or within a day, such as after 5m."),
        ([{"method": 0}], "A rule's 'method' is the number of a contact method."),
        ([{"method": 10**9}], f"You have no contact method with the number {10**9}."),
        ("x", "'rules' is a list of {method: NUMBER, after: 5m}, at most 50."),
    ]
    for rules, sentence in bad:
        said = call("notification-rules", mira, method="PUT", body={"rules": rules}, status=422)
        assert said["detail"] == sentence
    assert call("notification-rules", mira, method="PUT", body={"rules": []})["own"] is False


def test_quiet_hours_hold_back_all_but_critical_pages(mira: User, post: Mailbox) -> None:
    verified(mira, post)
    User.objects.filter(pk=mira.pk).update(time_zone="Europe/Berlin")
    mira.refresh_from_db()
    body = {"from_time": "13:00", "until_time": "15:00", "days": ["mon"]}
    hours = call("quiet-hours", mira, method="PUT", body=body)
    assert hours == {"from_time": "13:00", "until_time": "15:00", "days": ["mon"], "time_zone": "Europe/Berlin"}
    assert ways_to(mira, "warning", world.START).quiet_until_at == world.after(2 * 3600)
    assert ways_to(mira, "critical", world.START).quiet_until_at is None
    assert ways_to(mira, "warning", world.START + timedelta(days=1)).quiet_until_at is None
    for wrong in (
        {"from_time": "25:00", "until_time": "07:00"},
        {"from_time": "07:00", "until_time": "07:00"},
        {**body, "days": []},
    ):
        call("quiet-hours", mira, method="PUT", body=wrong, status=422)
    call("quiet-hours", mira, method="DELETE", status=204)
    assert call("quiet-hours", mira)["from_time"] is None


def test_a_test_goes_to_verified_methods_alone(mira: User, post: Mailbox) -> None:
    waiting = add(mira, kind="email", to="other@example.org")["id"]
    said = call(f"contact-methods/{waiting}/test", mira, method="POST", status=409)["detail"]
    assert said == "'Mail' is not verified. Send a code first."
    method = verified(mira, post)
    world.advance(60)
    assert call(f"contact-methods/{method}/test", mira, method="POST")["delivered"] is True
    assert b"This is a test of how you are paged. Nothing is wrong." in post.mails[-1]
    said = call(f"contact-methods/{method}/code", mira, method="POST", status=409)["detail"]
    assert said == "'Mail 2' is verified already."


def test_a_stranger_finds_nothing_and_an_administrators_program_may_vouch(mira: User) -> None:
    stranger = fleet.user("eve", role=Role.SRE)
    made = add(mira, kind="email", to="mira@example.org")["id"]
    for path, method in (("", "GET"), ("", "DELETE"), ("/code", "POST"), ("/test", "POST")):
        call(f"contact-methods/{made}{path}", stranger, method=method, status=404)
        call(f"contact-methods/{made}{path}?user=mira", stranger, method=method, status=404)
    assert call("contact-methods", stranger)["results"] == []
    call("contact-methods?user=mira", stranger, status=404)
    body = {"kind": "email", "to": "x@example.org", "verified": True}
    said = call("contact-methods", mira, method="POST", body=body, status=403)["detail"]
    assert said == "Only an administrator can vouch for a contact method. Leave out 'verified'."
    program: dict[str, Any] = {"headers": fleet.bearer(fleet.token(name="ops", scopes=["admin"]))}
    call("contact-methods", None, status=422, **program)
    done = call("contact-methods?user=mira", None, method="POST", body=body, status=201, **program)
    assert (done["verified_at"], done["vouched_by"]) == ("2026-11-02T12:00:00Z", "token ops")
    reader: dict[str, Any] = {"headers": fleet.bearer(fleet.token(name="reader", scopes=["write"]))}
    call("contact-methods?user=mira", None, status=403, **reader)

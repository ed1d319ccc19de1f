"""The settings about how a person is reached, by the page's own forms."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from fleetledger.fleet.models import User
from monitoring.alerts.models import ContactMethod, PersonalRule, QuietHours
from tests import world as fleet
from tests.alerts import world
from tests.alerts.mailbox import Mailbox, mailbox

pytestmark = pytest.mark.django_db
PAGE = "/settings/notifications/"


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


@pytest.fixture
def mira() -> User:
    return fleet.user("mira", email="mira@example.org")


@pytest.fixture
def browser(mira: User) -> Client:
    client = Client()
    client.force_login(mira)
    return client


@pytest.fixture
def post() -> Iterator[Mailbox]:
    with mailbox() as box, override_settings(SMTP_HOST=box.address):
        yield box


def text(client: Client, address: str = PAGE, **form: object) -> str:
    """The page's words; of a form the page that it leads to."""
    answer = client.post(address, form, follow=True) if form else client.get(address)
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&#x27;", "'").split())


def test_a_person_adds_a_mail_address_types_the_code_and_sets_rules_and_quiet_hours(
    browser: Client, mira: User, post: Mailbox
) -> None:
    assert "Nobody can page you yet" in text(browser)
    added = text(browser, kind="email", to="mira@example.org", label="")
    assert "A code is on its way." in added
    assert "not verified" in added
    method = ContactMethod.objects.get(user=mira)
    act = f"{PAGE}{method.pk}/"
    assert "That is not the code. 4 tries left." in text(browser, f"{act}verify/", code="1")
    code = re.search(rb"(\d{6}) is the code", post.mails[0])
    assert code
    assert "'Mail' is verified: pages may use it from now on." in text(browser, f"{act}verify/", code=code[1].decode())
    rules = text(browser, f"{PAGE}rules/add/", method=method.pk, after=5)
    assert "After 5m by Mail" in rules
    assert PersonalRule.objects.get(user=mira).after_s == 300
    assert "As usual: one verified method" in text(browser, f"{PAGE}rules/reset/", x=1)
    quiet = text(browser, f"{PAGE}quiet/", from_time="22:00", until_time="07:00", days=["0", "4"])
    assert "22:00 to 07:00, UTC; critical alerts page you all the same" in quiet
    assert QuietHours.objects.get(user=mira).days == [0, 4]
    assert "None: every page reaches you at once" in text(browser, f"{PAGE}quiet/", clear="1")
    world.advance(60)
    assert "The test was taken." in text(browser, f"{act}test/", x=1)
    assert "'Mail' is removed" in text(browser, f"{act}remove/", x=1)


def test_methods_are_moved_and_the_page_needs_few_queries(
    browser: Client, mira: User, django_assert_max_num_queries: object
) -> None:
    rows = [
        ContactMethod.objects.create(user=mira, kind="email", label=name, position=place, created_at=world.START)
        for place, name in enumerate("abc")
    ]
    text(browser, f"{PAGE}{rows[2].pk}/up/", x=1)
    text(browser, f"{PAGE}{rows[0].pk}/up/", x=1)
    order = ContactMethod.objects.filter(user=mira).order_by("position").values_list("label", flat=True)
    assert list(order) == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"kind": "webhook", "url": "nonsense"}, "This is no address. Write https://HOST/PATH."),
        ({"kind": "email", "to": "nonsense"}, "Enter a valid email address."),
        ({"kind": "pagerduty"}, "This field is required."),
        ({"kind": "apprise", "url": "nonsense"}, "This is no address of apprise."),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(browser: Client, form: dict[str, str], sentence: str) -> None:
    assert sentence in text(browser, **form)
    assert not ContactMethod.objects.exists()


def test_another_persons_methods_are_not_there(browser: Client) -> None:
    other = ContactMethod.objects.create(
        user=fleet.user("tom"), kind="email", label="Mail", shown="tom@example.org", created_at=world.START
    )
    assert "tom@example.org" not in text(browser)
    for action in ("code", "verify", "test", "remove", "up"):
        assert "There is no such contact method, or it is not yours." in text(
            browser, f"{PAGE}{other.pk}/{action}/", x=1
        )
    other.refresh_from_db()
    assert other.removed_at is None
    assert Client().get(PAGE).status_code == 302

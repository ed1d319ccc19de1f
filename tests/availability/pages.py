"""Pages as somebody sees them, and forms as somebody sends them."""

from django.test import Client

from fleetledger.fleet.models import User


def page(who: User, path: str, status: int = 200) -> str:
    client = Client()
    client.force_login(who)
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def send(who: User, path: str, status: int = 302, **values: object) -> str:
    """Gives the address that the answer leads to."""
    client = Client()
    client.force_login(who)
    answer = client.post(path, values)
    assert answer.status_code == status, answer.content
    return str(answer.headers.get("Location", ""))

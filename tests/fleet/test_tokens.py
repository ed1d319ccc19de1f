"""API tokens: shown once, kept as a digest, refused with a reason."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from fleetledger.fleet import tokens
from fleetledger.fleet.errors import UnknownNameError
from fleetledger.fleet.models import ApiToken
from tests import world

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_only_the_digest_of_a_secret_is_kept() -> None:
    made = tokens.create("grafana", ["read"])
    stored = ApiToken.objects.get()
    assert made.secret.startswith(f"fl_{stored.prefix}_")
    assert stored.digest == hashlib.sha256(made.secret.encode()).hexdigest()
    assert made.secret.split("_", 2)[2] not in str(vars(stored))


def test_a_live_token_is_found_by_its_secret() -> None:
    made = tokens.create("grafana", ["read"])
    assert tokens.authenticate(made.secret) == made.token


@pytest.mark.parametrize("change", ["x", "", "fl_", "fl_abcdefgh_" + "a" * 43, "Bearer", "\x00", "fl_é"])
def test_what_is_no_token_is_refused(change: str) -> None:
    tokens.create("grafana", ["read"])
    with pytest.raises(tokens.TokenRefusedError, match="not known"):
        tokens.authenticate(change)


def test_a_right_prefix_with_a_wrong_secret_is_refused() -> None:
    made = tokens.create("grafana", ["read"])
    wrong = made.secret[:-1] + ("A" if made.secret[-1] != "A" else "B")
    with pytest.raises(tokens.TokenRefusedError, match="not known"):
        tokens.authenticate(wrong)


def test_a_revoked_token_says_so() -> None:
    made = tokens.create("grafana", ["read"])
    assert (tokens.revoke(made.token), tokens.revoke(made.token)) == (True, False)
    with pytest.raises(tokens.TokenRefusedError, match="'grafana' was revoked"):
        tokens.authenticate(made.secret)


def test_a_token_expires_at_its_instant() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        made = tokens.create("grafana", ["read"], expires_at=NOW + timedelta(days=1))
        clock.shift(timedelta(days=1, microseconds=-1))
        assert tokens.authenticate(made.secret) == made.token
        clock.shift(timedelta(microseconds=1))
        with pytest.raises(tokens.TokenRefusedError, match="expired on 2026-11-02"):
            tokens.authenticate(made.secret)


def test_the_last_use_is_written_at_most_once_a_minute() -> None:
    made = tokens.create("grafana", ["read"])
    seen = []
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(4):
            tokens.authenticate(made.secret)
            seen.append(ApiToken.objects.get().last_used_at)
            clock.shift(timedelta(seconds=30))
    assert seen == [NOW, NOW, NOW + timedelta(minutes=1), NOW + timedelta(minutes=1)]


@pytest.mark.parametrize("scopes", [[], ["all"], ["read:money"], ["read:"], ["Read"], ["read", "x"]])
def test_an_unknown_scope_is_refused_with_those_that_are_known(scopes: list[str]) -> None:
    with pytest.raises(tokens.TokenInputError, match="read, write, admin"):
        tokens.create("grafana", scopes)


def test_a_token_is_found_by_name_prefix_or_its_start() -> None:
    made = tokens.create("grafana", ["read"])
    found = [tokens.find(word) for word in ("grafana", made.token.prefix, f"fl_{made.token.prefix}")]
    assert found == [made.token] * 3


def test_two_tokens_of_one_name_are_told_apart_by_prefix() -> None:
    first, second = tokens.create("ci", ["read"]).token, tokens.create("ci", ["read"]).token
    with pytest.raises(tokens.TokenInputError, match="2 tokens are called 'ci'"):
        tokens.find("ci")
    assert tokens.find(second.prefix) == second != first


def test_an_unknown_token_names_those_that_exist() -> None:
    world.token("grafana")
    with pytest.raises(UnknownNameError, match=r"No live token is called 'prometheus'\. Known: grafana\."):
        tokens.find("prometheus")

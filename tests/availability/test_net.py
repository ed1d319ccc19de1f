"""Probes over the network: what answers well is up, what does not is down, each with its sentence."""

import time
from pathlib import Path

import pytest

from fleetledger.lib.buckets import to_us
from monitoring.availability.slots import Seen
from monitoring.availability.sources import heartbeat, net
from monitoring.availability.sources.answers import Answer, AskError, Question
from monitoring.availability.sources.net import HttpTerms, TlsTerms
from monitoring.availability.states import State
from tests import prometheus
from tests.availability import listeners
from tests.availability.world import after

NOW = to_us(after(1_000))
QUESTION = Question(at_us=to_us(after(990)), now_us=NOW, interval_us=30_000_000, timeout_s=2)
SHORT = Question(at_us=to_us(after(990)), now_us=NOW, interval_us=30_000_000, timeout_s=0.4)


def seen(answer: Answer) -> Seen:
    (observation,) = answer.observations
    (sample,) = observation.samples
    assert sample.at_us == QUESTION.at_us
    return sample.seen


def test_an_answer_is_judged_by_its_status_its_text_and_its_time() -> None:
    def say(path: str) -> tuple[int, str]:
        if path == "/slow":
            time.sleep(0.2)
        return {"/ok": (200, "all good"), "/gone": (410, ""), "/slow": (200, "")}.get(path, (302, ""))

    with listeners.http(say) as url:

        def ask(path: str, **terms: object) -> Seen:
            return seen(net.ask_http(HttpTerms(f"{url}{path}", **terms), QUESTION))  # type: ignore[arg-type]

        assert ask("/ok") == Seen(State.UP)
        assert ask("/ok", body="^all g.*d$") == Seen(State.UP)
        assert ask("/ok", body="bad") == Seen(State.DOWN, f"{url}/ok answers 200, but its text does not match 'bad'.")
        assert ask("/gone") == Seen(State.DOWN, f"{url}/gone answers 410, wanted 200 to 299.")
        assert ask("/gone", statuses=(410, 404)) == Seen(State.UP)
        assert ask("/elsewhere") == Seen(State.DOWN, f"{url}/elsewhere answers 302, wanted 200 to 299.")
        slow = ask("/slow", slow_after_s=0.1)
    assert slow.state is State.DEGRADED
    assert "more than 0.1 s" in slow.detail


def test_what_does_not_answer_is_down_within_its_time() -> None:
    started = time.monotonic()
    with listeners.silent() as port:
        found = seen(net.ask_http(HttpTerms(f"http://127.0.0.1:{port}/"), SHORT))
    assert found == Seen(State.DOWN, f"No answer from 127.0.0.1:{port} within 0.4 s.")
    assert time.monotonic() - started < 8


def test_a_port_takes_connections_or_does_not() -> None:
    closed = prometheus.free_port()
    with listeners.silent() as port:
        assert seen(net.ask_tcp("127.0.0.1", port, QUESTION)) == Seen(State.UP)
    refused = f"127.0.0.1:{closed} took no connection (connection refused)."
    assert seen(net.ask_tcp("127.0.0.1", closed, QUESTION)) == Seen(State.DOWN, refused)


def test_a_certificate_is_good_ends_soon_or_is_not_trusted(tmp_path: Path) -> None:
    now = Question(at_us=QUESTION.at_us, now_us=int(time.time() * 1_000_000), interval_us=1, timeout_s=5)
    cert, key = listeners.certificate(tmp_path, 90)
    with listeners.tls(cert, key) as port:
        good = net.ask_tls(TlsTerms("localhost", port, ca_file=str(cert)), now)
        soon = seen(net.ask_tls(TlsTerms("localhost", port, ca_file=str(cert), warn_days=100), now))
        strange = seen(net.ask_tls(TlsTerms("localhost", port), now))
        other = seen(net.ask_tls(TlsTerms("localhost", port, name="example.org", ca_file=str(cert)), now))
    assert seen(good) == Seen(State.UP)
    assert {fact.key: round(fact.value or 0) for fact in good.facts}["certificate_days_left"] == 90
    assert soon.state is State.DEGRADED
    assert soon.detail.startswith(f"The certificate of localhost:{port} ends on ")
    assert strange == Seen(State.DOWN, f"The certificate of localhost:{port} is not trusted (self-signed certificate).")
    assert other.state is State.DOWN
    assert "not trusted" in other.detail


def test_a_file_of_certificates_that_is_away_means_that_nothing_was_asked() -> None:
    with pytest.raises(AskError, match="cannot be read"):
        net.ask_tls(TlsTerms("localhost", ca_file="/nowhere/ca.pem"), QUESTION)


def test_a_missed_call_is_down_and_one_that_could_not_reach_us_is_unknown() -> None:
    def ask(beat: float | None, *, could_hear: bool = True) -> Seen:
        beat_us = None if beat is None else to_us(after(beat))
        return seen(heartbeat.ask(heartbeat.HeartbeatTerms(30, 10, beat_us, could_hear), QUESTION))

    assert ask(961) == Seen(State.UP)
    assert ask(959) == Seen(State.DOWN, "No call since 2026-11-02 00:15:59Z, wanted every 30 s.")
    with pytest.raises(AskError, match="calls could not reach us"):
        ask(959, could_hear=False)
    with pytest.raises(AskError, match="never called"):
        ask(None)

"""Judges calls that somebody must make again and again: a missed one is down, for it is all that is known of it."""

from fleetledger.lib.buckets import from_us
from monitoring.availability.slots import SECOND_US, Seen
from monitoring.availability.sources.answers import Answer, AskError, Observation, Question, Sample
from monitoring.availability.states import State


def ask(question: Question, *, beat_us: int | None, grace_us: int, could_hear: bool) -> Answer:
    """`could_hear`: whether calls could reach us since they are missed; else nothing is known."""
    if beat_us is None:
        raise AskError("It has never called. Its address stands beside the probe.")
    silence_us = question.now_us - beat_us
    if silence_us <= question.interval_us + grace_us:
        return _answer(question, Seen(State.UP))
    since = f"No call since {from_us(beat_us):%Y-%m-%d %H:%M:%S}Z"
    if not could_hear:
        raise AskError(f"{since}, but calls could not reach us all the time.")
    return _answer(question, Seen(State.DOWN, f"{since}, wanted every {question.interval_us // SECOND_US} s."))


def _answer(question: Question, seen: Seen) -> Answer:
    return Answer((Observation({}, (Sample(question.at_us, seen),)),), detail=seen.detail or "It calls in time.")

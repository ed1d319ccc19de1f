"""Judges calls that somebody must make again and again: a missed one is down, for it is all that is known of it."""

from dataclasses import dataclass

from fleetledger.lib.buckets import from_us
from monitoring.availability.slots import SECOND_US, Seen
from monitoring.availability.sources.answers import Answer, AskError, Observation, Question, Sample
from monitoring.availability.states import State


@dataclass(frozen=True, slots=True)
class HeartbeatTerms:
    """`beat_us`: the last call. `could_hear`: whether calls could reach us ever since; else nothing is known."""

    every_s: int
    grace_s: int
    beat_us: int | None
    could_hear: bool


def ask(terms: HeartbeatTerms, question: Question) -> Answer:
    """Raises AskError where it has never called, or could not."""
    if terms.beat_us is None:
        raise AskError("It has never called. Its address stands beside the probe.")
    if question.now_us - terms.beat_us <= (terms.every_s + terms.grace_s) * SECOND_US:
        return _answer(question, Seen(State.UP))
    since = f"No call since {from_us(terms.beat_us):%Y-%m-%d %H:%M:%S}Z"
    if not terms.could_hear:
        raise AskError(f"{since}, but calls could not reach us all the time.")
    return _answer(question, Seen(State.DOWN, f"{since}, wanted every {terms.every_s} s."))


def _answer(question: Question, seen: Seen) -> Answer:
    return Answer((Observation({}, (Sample(question.at_us, seen),)),), detail=seen.detail or "It calls in time.")

"""Takes verdicts: one person decides, of a production model two different ones agree. History is only added to."""

from dataclasses import dataclass

from django.db import transaction

from drift.findings import alerting
from drift.findings.locking import lock
from drift.models import Finding, Model, Review, ReviewState, Step, Verdict
from drift.reviews.errors import (
    AlreadyDecidedError,
    NoCommentError,
    NoSuchFindingError,
    NotAPersonError,
    SamePersonError,
    SomebodyWasFirstError,
)
from fleetledger.fleet.access import Principal, TokenPrincipal
from fleetledger.fleet.models import User
from monitoring.alerts import clock

MAX_COMMENT = 4000


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts. Behind a token stands the person who made it: they are one and the same here."""

    name: str
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """`after` is the number of the last review that this person has seen, 0 for none; None does not ask."""

    verdict: Verdict
    comment: str
    after: int | None = None


def person(principal: Principal) -> Person:
    if isinstance(principal, TokenPrincipal):
        return Person(principal.username, principal.token.created_by)
    if isinstance(principal, User):
        return Person(principal.first_name or principal.username, principal)
    return Person(principal.username)


def decide(finding_id: int, opinion: Opinion, by: Person) -> Review:
    """Raises DriftError, and changes nothing then.

    1. Waiting: decided; of a production model proposed. 2. Proposed: another person's same verdict decides, another
    verdict sends it back to the queue.
    """
    comment = opinion.comment.strip()
    if not comment or len(comment) > MAX_COMMENT:
        raise NoCommentError(MAX_COMMENT)
    with transaction.atomic():
        row = _locked(finding_id)
        last = row.reviews.order_by("-pk").first()
        if row.review == ReviewState.DECIDED:
            raise AlreadyDecidedError(finding_id, Verdict(row.verdict).label.lower(), last.by_name if last else "")
        if opinion.after is not None and opinion.after != (last.pk if last else 0):
            raise SomebodyWasFirstError(finding_id)
        step = _step(row, last, opinion, by)
        review = Review.objects.create(
            finding=row,
            verdict=opinion.verdict,
            step=step,
            comment=comment,
            by_user=by.user,
            by_name=by.name[:200],
            at=clock.now(),
        )
        _move(row, review)
    return review


def _locked(finding_id: int) -> Finding:
    """The model's lock first, as evaluation takes it, then the row."""
    model_id = Finding.objects.filter(pk=finding_id).values_list("model_id", flat=True).first()
    if model_id is None:
        raise NoSuchFindingError(finding_id)
    lock(model_id)
    return Finding.objects.select_for_update(of=("self",)).select_related("model").get(pk=finding_id)


def _step(row: Finding, last: Review | None, opinion: Opinion, by: Person) -> Step:
    if row.model.is_production and by.user is None:
        raise NotAPersonError
    if row.review == ReviewState.WAITING or last is None:
        return Step.PROPOSED if row.model.is_production else Step.DECIDED
    if by.user is None:
        raise NotAPersonError
    if last.by_user_id == by.user.pk:
        raise SamePersonError
    return Step.CONFIRMED if opinion.verdict == last.verdict else Step.DISAGREED


_AFTER = {Step.PROPOSED: ReviewState.PROPOSED, Step.DISAGREED: ReviewState.WAITING}


def _move(row: Finding, review: Review) -> None:
    row.review = _AFTER.get(Step(review.step), ReviewState.DECIDED)
    if row.review == ReviewState.DECIDED:
        row.verdict, row.decided_at = review.verdict, review.at
    row.save(update_fields=["review", "verdict", "decided_at"])
    if row.review == ReviewState.DECIDED and row.closed_at is None:
        alerting.report(Model.objects.get(pk=row.model_id))

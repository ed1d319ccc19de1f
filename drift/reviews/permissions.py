"""Who may decide about findings: those who may send a model's reports; others of the team read."""

from django.core.exceptions import PermissionDenied

from drift.models import Model
from drift.sending import may_send
from fleetledger.fleet.access import Principal

REFUSAL = "You may look at this finding but not decide. Ask a lead of its team, or an SRE."


def may_review(principal: Principal, model: Model) -> bool:
    return may_send(principal, model.owner)


def check_may_review(principal: Principal, model: Model) -> None:
    """Raises PermissionDenied with what to do."""
    if not may_review(principal, model):
        raise PermissionDenied(REFUSAL)

"""What a person types about a component, checked before anything is changed."""

from datetime import UTC, datetime

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from fleetledger.rest.params import LAST_YEAR
from fleetledger.web.accounts.forms import Dressed

_AT = forms.DateTimeInput({"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")
_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_LIMITS = (
    MinValueValidator(datetime(1970, 1, 1, tzinfo=UTC), "Give a later day."),
    MaxValueValidator(datetime(LAST_YEAR, 12, 31, tzinfo=UTC), "Give an earlier day."),
)


class WorkForm(Dressed, forms.Form):
    """Planned work; `from_at` left empty means now."""

    from_at = forms.DateTimeField(
        label="From, UTC; empty: now", required=False, widget=_AT, input_formats=_FORMATS, validators=[*_LIMITS]
    )
    until_at = forms.DateTimeField(label="Until, UTC", widget=_AT, input_formats=_FORMATS, validators=[*_LIMITS])
    reason = forms.CharField(label="What is done", max_length=300, required=False)


class EndForm(Dressed, forms.Form):
    """Why nothing more is expected of a series."""

    reason = forms.CharField(label="Why it is gone", max_length=200)

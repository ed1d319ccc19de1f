"""What a person types about a game day, checked before anything is changed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from fleetledger.rest.params import LAST_YEAR
from fleetledger.web.accounts.forms import Dressed
from monitoring.alerts.tenants import Tenant
from monitoring.availability.models import Outcome, State

DAY_S = 86_400
_AREA = forms.Textarea({"rows": "3"})


class GameDayForm(Dressed, forms.Form):
    """Times in UTC."""

    title = forms.CharField(label="What is tried", max_length=200)
    team = forms.ChoiceField(label="Whose game day")
    planned_at = forms.DateTimeField(
        label="When, UTC",
        widget=forms.DateTimeInput({"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M"),
        input_formats=("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"),
        validators=[
            MinValueValidator(datetime(1970, 1, 1, tzinfo=UTC), "Give a later day."),
            MaxValueValidator(datetime(LAST_YEAR, 12, 31, tzinfo=UTC), "Give an earlier day."),
        ],
    )
    fault = forms.CharField(label="The fault, and how it is brought about", max_length=4000, widget=_AREA)
    expectation = forms.CharField(label="What is expected to happen", max_length=4000, widget=_AREA)
    components = forms.MultipleChoiceField(
        label="Components", required=False, help_text="Their changes of state are the evidence."
    )
    expected_state = forms.ChoiceField(
        label="A component is expected to be",
        choices=[("", "no state in particular"), *State.choices],
        required=False,
    )
    expected_within_s = forms.IntegerField(
        label="within so many seconds of the start", min_value=1, max_value=DAY_S, required=False
    )

    def __init__(
        self, *args: Any, tenants: Sequence[Tenant], components: Sequence[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["team"], [(tenant.slug, tenant.name) for tenant in tenants])
        _offer(self.fields["components"], components)
        if not components:
            del self.fields["components"]


class EndForm(Dressed, forms.Form):
    outcome = forms.ChoiceField(label="It went", choices=Outcome.choices)
    learned = forms.CharField(label="What was learned", max_length=4000, required=False, widget=_AREA)


def _offer(field: forms.Field, choices: Sequence[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 tells the type checker
    field.choices = list(choices)

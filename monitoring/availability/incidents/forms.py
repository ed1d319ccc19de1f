"""What a person types about an incident, checked before anything is changed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from fleetledger.rest.params import LAST_YEAR
from fleetledger.web.accounts.forms import Dressed
from monitoring.alerts.people import Person
from monitoring.alerts.tenants import Tenant
from monitoring.availability.incidents.learning import MAX_FOLLOW_UP, MAX_POSTMORTEM
from monitoring.availability.models import Severity

_AT = forms.DateTimeInput({"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")
_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")
_FIRST = MinValueValidator(datetime(1970, 1, 1, tzinfo=UTC), "Give a later day.")
_LAST = MaxValueValidator(datetime(LAST_YEAR, 12, 31, tzinfo=UTC), "Give an earlier day.")


class _Public(Dressed, forms.Form):
    title = forms.CharField(label="What goes wrong", max_length=200)
    severity = forms.ChoiceField(label="How bad it is", choices=Severity.choices, initial=Severity.SEV2)
    components = forms.MultipleChoiceField(
        label="Components", required=False, help_text="Their changes of state go into the timeline."
    )
    is_public = forms.BooleanField(label="Show it on the public page", required=False)
    public_title = forms.CharField(
        label="Title for the public", max_length=200, required=False, help_text="Everybody may read it."
    )
    public_text = forms.CharField(
        label="What the public is told",
        max_length=4000,
        required=False,
        widget=forms.Textarea({"rows": "3"}),
    )

    def __init__(self, *args: Any, components: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["components"], components)
        if not components:
            del self.fields["components"]
        self.fields["is_public"].widget.attrs["class"] = "check"


class NewForm(_Public):
    """`opened_at` left empty means now."""

    team = forms.ChoiceField(label="Whose incident")
    opened_at = forms.DateTimeField(
        label="Since, UTC",
        required=False,
        widget=_AT,
        input_formats=_FORMATS,
        help_text="Empty: now.",
        validators=[_FIRST, _LAST],
    )
    field_order = ("title", "team", "severity", "opened_at", "components", "is_public", "public_title", "public_text")

    def __init__(self, *args: Any, tenants: Sequence[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["team"], [(tenant.slug, tenant.name) for tenant in tenants])


class EditForm(_Public):
    pass


class NoteForm(Dressed, forms.Form):
    text = forms.CharField(max_length=4000)
    is_public = forms.BooleanField(required=False)


class FollowUpForm(Dressed, forms.Form):
    """`people` may own it."""

    text = forms.CharField(label="What is to be done", max_length=MAX_FOLLOW_UP)
    owner = forms.ChoiceField(label="Who does it", required=False)
    due_on = forms.DateField(
        label="Until",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[
            MinValueValidator(date(1970, 1, 1), "Give a later day."),
            MaxValueValidator(date(LAST_YEAR, 12, 31), "Give an earlier day."),
        ],
    )

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["owner"], [("", "Nobody yet"), *((person.username, person.name) for person in people)])


class PostmortemForm(Dressed, forms.Form):
    """`version` is the one that the writer saw."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=1_000_000_000)
    text = forms.CharField(
        label="Postmortem, in Markdown",
        max_length=MAX_POSTMORTEM,
        widget=forms.Textarea({"rows": "24", "spellcheck": "true"}),
        help_text="Headings, lists, links, tables and code. No HTML and no pictures.",
    )
    is_published = forms.BooleanField(label="Published: it is final", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_published"].widget.attrs["class"] = "check"


def _offer(field: forms.Field, choices: Sequence[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 tells the type checker
    field.choices = list(choices)

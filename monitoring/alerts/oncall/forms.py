"""What a person types to change who is on call; times are on the wall of their own zone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from fleetledger.web.accounts.forms import Dressed
from monitoring.alerts.oncall.documents import YEARS
from monitoring.alerts.oncall.overrides import MAX_REASON
from monitoring.alerts.oncall.wall import instant, wall
from monitoring.alerts.people import Person

FORM = "%Y-%m-%dT%H:%M"
_FORMATS = (FORM, "%Y-%m-%dT%H:%M:%S")


def _at(label: str, **options: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput({"type": "datetime-local", "step": "60"}, format=FORM)
    return forms.DateTimeField(label=label, widget=widget, input_formats=_FORMATS, **options)


class _Timed(Dressed, forms.Form):
    """`zone` is the reader's; the labels name it, and what is read is in UTC."""

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        initial = {name: _shown(value, zone) for name, value in kwargs.pop("initial", {}).items()}
        super().__init__(*args, initial=initial, **kwargs)
        self._zone = zone
        for field in self.fields.values():
            if isinstance(field, forms.DateTimeField):
                field.label = f"{field.label}, {zone.key}"

    def at(self, name: str) -> datetime | None:
        """What was typed, as an instant."""
        value: datetime | None = self.cleaned_data.get(name)
        return instant(value.replace(tzinfo=None), self._zone) if value else None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for name, value in list(values.items()):
            if isinstance(value, datetime) and value.year not in YEARS:
                self.add_error(name, "Give a day that people will see.")
        return values


class OverrideForm(_Timed):
    person = forms.ChoiceField(label="Who is on call instead")
    from_at = _at("From")
    until_at = _at("Until")
    reason = forms.CharField(label="Why", max_length=MAX_REASON, required=False)

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["person"], [(person.username, person.name) for person in people])


class SwapForm(_Timed):
    asked_of = forms.ChoiceField(label="Who should take it", required=False)
    from_at = _at("Your shift from")
    until_at = _at("Until")
    back_from_at = _at("In return, from", required=False, help_text="A shift of theirs that you take; may stay empty.")
    back_until_at = _at("In return, until", required=False)
    reason = forms.CharField(label="Why", max_length=MAX_REASON, required=False)

    def __init__(self, *args: Any, people: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["asked_of"], [("", "Anybody"), *((person.username, person.name) for person in people)])

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if bool(values.get("back_from_at")) != bool(values.get("back_until_at")):
            self.add_error("back_until_at", "The shift in return has both ends, or none.")
        return values


def _offer(field: forms.Field, choices: Sequence[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)  # noqa: S101 tells the type checker
    field.choices = list(choices)


def _shown(value: Any, zone: ZoneInfo) -> Any:
    return wall(value, zone) if isinstance(value, datetime) else value

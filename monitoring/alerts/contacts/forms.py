"""What a person types about how they are reached."""

from collections.abc import Sequence
from typing import Any

from django import forms

from fleetledger.web.accounts.forms import Dressed
from monitoring.alerts.contacts.entries import KEYS, LABELS, MAX_ADDRESS, MAX_NAME
from monitoring.alerts.contacts.preferences import Quiet
from monitoring.alerts.contacts.reads import Method
from monitoring.alerts.models import ChannelKind

DAY_NAMES = (("0", "Mon"), ("1", "Tue"), ("2", "Wed"), ("3", "Thu"), ("4", "Fri"), ("5", "Sat"), ("6", "Sun"))
_FIELDS: dict[str, tuple[str, str]] = {
    "to": ("Mail address", ""),
    "url": ("Address", "Kept sealed: it is not shown again."),
    "secret": ("Signed with", "May stay empty. Each message is then signed with it."),
    "channel": ("Channel", "May stay empty."),
    "routing_key": ("Routing key", "Of an Events API v2 integration. Kept sealed."),
}
_HINTS = {
    ChannelKind.APPRISE: "As apprise writes it, such as ntfy://TOPIC or tgram://TOKEN/CHAT. Kept sealed.",
    ChannelKind.SLACK: "The incoming webhook's address, of Mattermost or Rocket.Chat too. Kept sealed.",
}


class MethodForm(Dressed, forms.Form):
    """A new contact method of one kind; the entry itself checks what is typed."""

    label = forms.CharField(label="Name", max_length=MAX_NAME, required=False, help_text="What pages call it.")

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = dict(self.fields)
        self.fields.clear()
        for number, key in enumerate(KEYS[kind]):
            self.fields[key] = _field(kind, key, is_needed=number == 0)
        self.fields.update(own)
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")
        self.fields["label"].widget.attrs["placeholder"] = LABELS[kind]
        self.kind = kind

    def given(self) -> dict[str, str]:
        return {key: self.cleaned_data[key] for key in KEYS[self.kind] if self.cleaned_data[key]}


class RuleForm(Dressed, forms.Form):
    method = forms.TypedChoiceField(label="By", coerce=int)
    after = forms.IntegerField(label="After minutes", min_value=0, max_value=1440, initial=0)

    def __init__(self, *args: Any, methods: Sequence[Method], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["method"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 tells the type checker
        field.choices = [(one.id, one.label) for one in methods]


class QuietForm(Dressed, forms.Form):
    from_time = forms.TimeField(label="From", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    until_time = forms.TimeField(label="Until", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    days = forms.TypedMultipleChoiceField(
        label="Beginning on", coerce=int, choices=DAY_NAMES, widget=forms.CheckboxSelectMultiple({"class": "choices"})
    )

    def quiet(self) -> Quiet:
        values = self.cleaned_data
        return Quiet(values["from_time"], values["until_time"], tuple(values["days"]))


def _field(kind: str, key: str, *, is_needed: bool) -> forms.Field:
    label, hint = _FIELDS[key]
    hint = _HINTS.get(ChannelKind(kind), hint) if key == "url" else hint
    if key == "to":
        return forms.EmailField(label=label, max_length=MAX_NAME * 3, required=is_needed)
    widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, max_length=MAX_ADDRESS, required=is_needed, help_text=hint, widget=widget)

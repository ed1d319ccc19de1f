"""What rules refuse, each with its own sentence and the fix in it."""

from monitoring.alerts.errors import AlertsError


class RuleError(AlertsError):
    """A rule that cannot be evaluated, now or at all."""


class TemplateError(RuleError):
    """A text that asks for more than our templates can do."""

    def __init__(self, action: str) -> None:
        super().__init__(
            f"'{action[:120]}' cannot be rendered. Write {{{{ $labels.NAME }}}}, {{{{ $value }}}} or "
            '{{ $value | humanize }}; in place of humanize also humanizePercentage, humanizeDuration or printf "%.2f".'
        )


class OptionError(RuleError):
    """An option that a fact does not know or cannot use; `key` is its name."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key

"""What can be wrong about an objective, in a sentence."""


class SloError(Exception):
    """The base; its text is one sentence for a person, with the fix in it."""


class ExpressionError(SloError):
    """A text that counts nothing: neither a counter's selector nor an expression over [$window]."""

"""What ends a try before there is an answer, as one sentence without secrets."""


class ChannelError(Exception):
    """A try that came to nothing."""


class UnansweredError(ChannelError):
    """Nobody answered, or not in time: may work later."""


class UnusableError(ChannelError):
    """The destination as it is configured cannot work."""

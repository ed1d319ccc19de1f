"""What mitigation refuses, each with a sentence that says what to do."""

from drift.errors import DriftError


class NoSuchMitigationError(DriftError):
    http_status = 404

    def __init__(self, name: object) -> None:
        super().__init__(f"No mitigation is called {name}, or none that you may see.")


class OneIsLiveError(DriftError):
    http_status = 409

    def __init__(self, kind: str) -> None:
        super().__init__(f"Finding has a mitigation '{kind}' at work already. Cancel it first, or wait for its end.")


class WrongStepError(DriftError):
    http_status = 409

    def __init__(self, state: str, wanted: str) -> None:
        super().__init__(f"A mitigation that is {state} cannot become {wanted}. Read it again.")


class SecondPersonError(DriftError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__("You proposed it. Of a production model, and for a new reference, another person approves.")


class BadSignatureError(DriftError):
    http_status = 403

    def __init__(self) -> None:
        super().__init__(
            "The callback is not signed as it should be: X-Fleetledger-Signature: t=SECONDS,v1=HEX with the secret of "
            "the model's webhook, over SECONDS.BODY, at most five minutes old."
        )


class BadCallbackError(DriftError):
    def __init__(self) -> None:
        super().__init__(
            "Send {'key': of the webhook, 'state': running, succeeded or failed}, and a 'note' and a 'link' (http://...)."
        )

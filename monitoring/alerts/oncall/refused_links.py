"""Why a page's link leads nowhere; none of them says anything about alerts."""

from monitoring.alerts.errors import AlertsError
from monitoring.alerts.oncall import links


class LinkError(AlertsError):
    """A link that leads nowhere; `title` stands above its sentence."""

    title = ""


class UnknownLinkError(LinkError):
    http_status = 404
    title = "No page is here"

    def __init__(self) -> None:
        super().__init__("The link was cut short or changed, or its page is gone. Open the newest message, or sign in.")


class ExpiredLinkError(LinkError):
    http_status = 410
    title = "This link is too old"

    def __init__(self) -> None:
        super().__init__(f"It worked for {links.VALID.days} days. Sign in to see what fires now.")


class ClosedAccountError(LinkError):
    http_status = 410
    title = "This account is closed"

    def __init__(self) -> None:
        super().__init__("Its links work no more. Ask an administrator to open it again.")


class NotSeenError(LinkError):
    http_status = 404
    title = "Not yours any more"

    def __init__(self) -> None:
        super().__init__("You do not see the alerts of this page now. Ask a lead of the team, or an SRE.")

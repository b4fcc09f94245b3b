"""What can go wrong with a GREEN-API call: one class for each thing a caller can do about it.

Nothing here, in text or attributes, ever holds the API token, a URL or a whole phone number.
"""

from enum import StrEnum


class InstanceTrouble(StrEnum):
    """Why the instance, not the message, is to blame."""

    TOKEN_REFUSED = "token_refused"  # noqa: S105  # a word, not a secret; 401: wrong or changed
    WRONG_INSTANCE = "wrong_instance"  # 403: no such idInstance
    WRONG_ADDRESS = "wrong_address"  # 404, a redirect, or no usable URL
    QUOTA = "quota"  # 466: the plan's monthly quota is used up
    NOT_AUTHORIZED = "not_authorized"  # the phone is not linked
    STARTING = "starting"  # or not authorized: the provider's text does not tell them apart
    EXPIRED = "expired"  # the instance is not paid for
    DELETED = "deleted"


class GreenApiError(Exception):
    """A GREEN-API call did not succeed."""

    def __init__(self, detail: str = "") -> None:
        sentence = (type(self).__doc__ or "").partition("\n")[0]
        super().__init__(f"{sentence} ({detail})" if detail else sentence)


class Rejected(GreenApiError):
    """GREEN-API refused this very message: it was not sent, and asking again will not help."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(f"status {status}: {reason}")
        self.reason = reason  # the provider's words: redacted, without phones, <= 300 characters
        self.status = status


class InstanceUnusable(GreenApiError):
    """The instance cannot be used now: the message was not sent, and others would fare alike."""

    def __init__(self, trouble: InstanceTrouble, status: int | None) -> None:
        super().__init__(f"{trouble}, status {status}")
        self.trouble = trouble
        self.status = status  # None: no request could be made of the configured address


class RateLimited(GreenApiError):
    """Above the method's rate limit: surely not sent, may be asked again later."""

    def __init__(self, retry_after: float | None) -> None:
        super().__init__("" if retry_after is None else f"retry after {retry_after:g} s")
        self.retry_after = retry_after  # seconds, where the provider told them


class Unreachable(GreenApiError):
    """No connection was made, nothing was written: surely not sent, safe to try again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OutcomeUnknown(GreenApiError):
    """The request left us and its outcome is not known: a send may have been accepted."""

    def __init__(self, reason: str, status: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status  # None: no whole answer came

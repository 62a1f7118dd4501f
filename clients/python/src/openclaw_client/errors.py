"""The error of this package."""

from __future__ import annotations

from typing import Any

_MAX_MS = 3_600_000


def ms_from_hub(value: object) -> float | None:
    """At most an hour; None for anything but a time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        return None
    return min(value, _MAX_MS)


class HubError(Exception):
    """The only error of this package, apart from cancellation. Branch on ``code``.

    A refusal has the hub's own code, such as ``not_found``, ``forbidden`` or ``rate_limited``. The package's codes:

    - ``invalid``: a call or an option is malformed; ``issues`` holds the hub's list of problems by field.
    - ``unauthorized``: the hub refused the token, or ``get_token`` failed.
    - ``unreachable``: no connection; the message and ``__cause__`` say why.
    - ``disconnected``: the connection was lost and the call cannot be repeated safely. It may have taken effect.
    - ``timeout``: no answer in time. The call may have taken effect.
    - ``queue_full``: too many calls, or too many bytes of calls, are waiting.
    - ``closed``: the hub object was closed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after_ms: float | None = None,
        issues: list[dict[str, Any]] | None = None,
        data: dict[str, Any] | None = None,
        is_permanent: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        #: At most an hour; None without advice from the hub.
        self.retry_after_ms = ms_from_hub(retry_after_ms)
        #: ``[{"path": [...], "message": ...}]`` for a malformed call.
        self.issues = issues or []
        #: The fields of a refusal: its ``code``, and what the method adds, such as the ``holder`` of a claim.
        self.data = data or {}
        #: True when another attempt to connect would fail in the same way.
        self.is_permanent = is_permanent

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


_RETRYABLE = frozenset({"unavailable", "timeout", "internal", "rate_limited", "queue_full"})


def retry_pause_s(error: HubError) -> float | None:
    """None when a repeat of the call would not help."""
    if error.code not in _RETRYABLE:
        return None
    return (1_000 if error.retry_after_ms is None else error.retry_after_ms) / 1_000


def error_from_rpc(error: Any) -> HubError:
    fields: dict[str, Any] = error if isinstance(error, dict) else {}
    message = str(fields.get("message", "The hub sent an error without a message"))
    data = fields.get("data")
    if fields.get("code") == -32000 and isinstance(data, dict):
        code = str(data.get("code", "internal"))
        return HubError(code, message, retry_after_ms=data.get("retryAfterMs"), data=data)
    return HubError("invalid", message, issues=data if isinstance(data, list) else None)

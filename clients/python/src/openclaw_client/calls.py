"""Calls that wait for the hub. They are sent in order, repeated after a reconnect, and bounded in number and bytes."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import HubError, error_from_rpc
from .options import Options

_WITH_CLIENT_MESSAGE_ID = frozenset(
    {
        "message.send",
        "direct.send",
        "ask.create",
        "question.open",
        "thread.create",
        "collaboration.emit",
    }
)
#: These calls are useless when late, so they do not wait for a connection and are not repeated.
_EPHEMERAL = frozenset({"typing.start", "typing.stop", "turn.set", "ping"})


def create_client_message_id() -> str:
    """Begins with the time, so that ids of one time are neighbours in the hub's index."""
    return f"{int(time.time() * 1_000):012x}-{secrets.token_hex(16)}"


def _is_repeatable(method: str, params: Mapping[str, Any]) -> bool:
    if method in _EPHEMERAL:
        return False
    # The hub could not recognize a repeat of these calls: it does not log a global event, and it
    # chooses the id of a channel that is created without one.
    if method in ("collaboration.emit", "channel.create"):
        return params.get("channelId") is not None
    return True


#: Called with a result and its size in bytes.
OnResult = Callable[[Any, int], None]


@dataclass(eq=False)
class _Call:
    id: int
    method: str
    frame: str
    size: int
    is_repeatable: bool
    answer: asyncio.Future[Any]
    on_result: OnResult | None


class Calls:
    """Survives lost connections."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._last_id = 0
        self._bytes = 0
        self._waiting: deque[_Call] = deque()
        self._sent: dict[int, _Call] = {}
        self._in_flight_max = 1
        self._frame_max_bytes: int | None = None
        self._is_live = False
        self._closed: HubError | None = None
        self._wake = asyncio.Event()

    def start(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        is_internal: bool = False,
        on_result: OnResult | None = None,
    ) -> asyncio.Future[Any]:
        """Queues a call and returns its future result.

        Cancel the future to drop the call. An internal call goes first, is not counted, and fails when the connection
        is lost, because its caller makes another one for the next connection. ``on_result`` runs before later frames
        are read; a task that awaits the future may run after them. Raises HubError ``closed``, ``queue_full``,
        ``too_large`` or ``invalid``.
        """
        if self._closed is not None:
            raise self._closed
        if method in _EPHEMERAL and not self._is_live:
            raise HubError("disconnected", f"{method} does not wait for a connection")
        fields = dict(params)
        if method in _WITH_CLIENT_MESSAGE_ID and fields.get("clientMessageId") is None:
            fields["clientMessageId"] = create_client_message_id()
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": fields}
        try:
            frame = json.dumps(request, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            size = len(frame.encode())
        except (TypeError, ValueError) as cause:
            text = f"the params of {method} cannot be written as JSON: {cause}"
            raise HubError("invalid", text) from cause
        if not is_internal:
            self._check_room(method, size)
        is_repeatable = not is_internal and _is_repeatable(method, fields)
        answer = asyncio.get_running_loop().create_future()
        call = _Call(self._last_id, method, frame, size, is_repeatable, answer, on_result)
        self._bytes += size
        if is_internal:
            self._waiting.appendleft(call)
        else:
            self._waiting.append(call)
        answer.add_done_callback(lambda _: self._forget(call))
        self._wake.set()
        return answer

    def _check_room(self, method: str, size: int) -> None:
        if self._frame_max_bytes is not None and size > self._frame_max_bytes:
            raise self._too_large(method, size)
        if len(self._waiting) + len(self._sent) >= self._options.queue_max:
            text = f"{self._options.queue_max} calls are waiting (queue_max)"
            raise HubError("queue_full", text)
        if self._bytes + size > self._options.queue_max_bytes:
            text = f"the waiting calls would exceed {self._options.queue_max_bytes} bytes (queue_max_bytes)"
            raise HubError("queue_full", text)

    def _too_large(self, method: str, size: int) -> HubError:
        text = f"{method} has {size} bytes; the hub accepts frames of {self._frame_max_bytes}"
        return HubError("too_large", text)

    def _forget(self, call: _Call) -> None:
        self._bytes -= call.size
        if self._sent.pop(call.id, None) is None:
            # The call was cancelled, or timed out, before it was sent.
            try:
                self._waiting.remove(call)
            except ValueError:
                pass
        self._wake.set()

    async def next_frame(self) -> str:
        """Waits for a call, and until the hub allows another unanswered one."""
        while True:
            if self._waiting and len(self._sent) < self._in_flight_max:
                call = self._waiting.popleft()
                if call.answer.done():
                    continue
                if self._frame_max_bytes is not None and call.size > self._frame_max_bytes:
                    call.answer.set_exception(self._too_large(call.method, call.size))
                    continue
                self._sent[call.id] = call
                return call.frame
            self._wake.clear()
            await self._wake.wait()

    def on_answer(self, message: dict[str, Any], size: int) -> None:
        """Ignores an answer that came too late."""
        id = message.get("id")
        call = self._sent.get(id) if isinstance(id, int) else None
        if call is None or call.answer.done():
            return
        if "error" in message:
            call.answer.set_exception(error_from_rpc(message["error"]))
        else:
            result = message.get("result")
            if call.on_result is not None:
                call.on_result(result, size)
            if not call.answer.done():
                call.answer.set_result(result)

    def on_welcome(self, in_flight_max: int, frame_max_bytes: int) -> None:
        self._in_flight_max = in_flight_max
        self._frame_max_bytes = frame_max_bytes
        self._is_live = True
        self._wake.set()

    def on_lost(self, error: HubError) -> None:
        """Queues the unanswered calls again, in order. Fails the calls that could take effect twice."""
        self._is_live = False
        sent = sorted(self._sent.values(), key=lambda call: call.id)
        self._sent.clear()
        self._waiting.extendleft(call for call in reversed(sent) if call.is_repeatable)
        for call in sent:
            if not call.is_repeatable and not call.answer.done():
                text = f"the connection was lost before {call.method} was answered: {error.message}"
                call.answer.set_exception(HubError("disconnected", text))

    def close(self, error: HubError) -> None:
        """Fails all calls, now and later."""
        self._is_live = False
        self._closed = error
        for call in [*self._sent.values(), *self._waiting]:
            if not call.answer.done():
                call.answer.set_exception(error)

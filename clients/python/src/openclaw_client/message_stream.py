"""Messages that grow, for their author and for other agents."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from .errors import HubError, retry_pause_s
from .events import Event
from .objects import Message, Sent

_APPEND_EVERY_S = 0.05
#: A message with a missing part is read at most this often.
_READ_EVERY_S = 1.0
_MESSAGES_MAX = 200
#: UTF-16 code units of deltas kept for one message.
_KEPT_MAX = 65_536

Call = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


def _units(text: str) -> bytes:
    """UTF-16, because the hub counts code units, of two bytes each."""
    return text.encode("utf-16-le")


class MessageStream:
    """A message of this agent that grows, made by ``Hub.stream``. ``text`` is kept until ``finish`` has returned."""

    def __init__(self, call: Call, channel_id: str, content: str, sent: Sent) -> None:
        self.message_id: str = sent["messageId"]
        self.seq: int = sent["seq"]
        self.text = content
        #: A repeat has the text that this agent sent before it was killed, which may differ.
        self._is_repeat: bool = sent["duplicate"]
        self._call = call
        self._channel_id = channel_id
        self._units = bytearray(_units(content))
        self._accepted = len(self._units) // 2
        self._is_over = False
        self._task: asyncio.Task[None] | None = None

    def append(self, text: str) -> None:
        """Adds text, which is sent within 50 ms together with other text. After a lost
        connection, the text that the hub lacks is sent again.
        """
        self.text += text
        self._units += _units(text)
        if not self._is_over and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._pump())

    async def finish(
        self,
        state: str = "complete",
        *,
        content: str | None = None,
        mentions: Sequence[str] | None = None,
        parse_mentions: bool = False,
        metadata: Mapping[str, Any] | None = None,
    ) -> int:
        """Ends the message (``complete``, ``stopped`` or ``failed``) with its whole text, or with
        ``content``.

        Returns the seq of the end. If it raises, it may be called again.
        """
        self._is_over = True
        if self._task is not None:
            await asyncio.wait([self._task])
        length = len(self._units) // 2
        params: dict[str, Any] = {
            "channelId": self._channel_id,
            "messageId": self.message_id,
            "state": state,
            "length": length,
        }
        if mentions is not None:
            params["mentions"] = mentions
        if parse_mentions:
            params["parseMentions"] = True
        if metadata is not None:
            params["metadata"] = metadata
        if content is not None or self._accepted < length or self._is_repeat:
            params["content"] = self.text if content is None else content
            return await self._end(params)
        try:
            return await self._end(params)
        except HubError as error:
            # The hub lost text that it had not checkpointed.
            if _length_of(error, length) >= length:
                raise
        params["content"] = self.text
        return await self._end(params)

    async def _end(self, params: Mapping[str, Any]) -> int:
        return cast(int, (await self._call("message.finish", params))["seq"])

    async def _pump(self) -> None:
        while not self._is_over and 2 * self._accepted < len(self._units):
            pause_s = await self._send()
            if not self._is_over:
                await asyncio.sleep(pause_s)

    async def _send(self) -> float:
        params = {
            "channelId": self._channel_id,
            "messageId": self.message_id,
            "from": self._accepted,
            "text": self._units[2 * self._accepted :].decode("utf-16-le"),
        }
        try:
            self._accepted = (await self._call("message.append", params))["length"]
        except HubError as error:
            pause_s = retry_pause_s(error)
            if pause_s is not None:
                return pause_s
            length = _length_of(error, self._accepted)
            if error.data.get("state") == "streaming" and length < self._accepted:
                self._accepted = length
            else:
                self._is_over = True
        return _APPEND_EVERY_S


def _length_of(error: HubError, otherwise: int) -> int:
    """The hub's refusal has the length of its text."""
    length = error.data.get("length") if error.code == "conflict" else None
    return length if isinstance(length, int) else otherwise


class _Growing:
    def __init__(self, message: Message) -> None:
        self.message = message
        self.units = bytearray(_units(message["content"]))
        self.kept: list[tuple[int, bytes]] = []
        self.read_at = float("-inf")

    def take(self, start: int, units: bytes) -> bool:
        """False when the text before the delta is missing."""
        if 2 * start > len(self.units):
            if sum(len(kept) for _, kept in self.kept) + len(units) <= 2 * _KEPT_MAX:
                self.kept.append((start, units))
            return False
        if 2 * start + len(units) > len(self.units):
            self.units += units[len(self.units) - 2 * start :]
        kept, self.kept = sorted(self.kept), []
        return all([self.take(*one) for one in kept])

    def now(self) -> Message:
        self.message["content"] = self.units.decode("utf-16-le", "replace")
        return self.message


class GrowingTexts:
    """The growing messages of a channel. Give it each event of the channel.

    ``known`` are messages of the history: those that are still growing are followed too.
    """

    def __init__(
        self, read: Callable[[str], Awaitable[Message]], known: Sequence[Message] = ()
    ) -> None:
        self._read = read
        self._growing: dict[str, _Growing] = {}
        for message in known:
            self._begin(message)

    async def on_event(self, event: Event) -> Message | None:
        """The message that the event changed, with its text so far; None for any other event.

        When text is missing, reads the message from the hub, at most once a second.
        """
        message = event.message
        if message is not None:
            if message["id"] in self._growing and message.get("state") != "streaming":
                del self._growing[message["id"]]
                return message
            return self._begin(message)
        if event.type != "collaboration.event" or event.data.get("name") != "message.delta":
            return None
        delta = event.data["payload"]
        growing = self._growing.get(delta["messageId"])
        if growing is None:
            return None
        if growing.take(delta["from"], _units(delta["text"])):
            return growing.now()
        if time.monotonic() - growing.read_at < _READ_EVERY_S:
            return None
        growing.read_at = time.monotonic()
        present = await self._read(delta["messageId"])
        if present.get("state") != "streaming":
            self._growing.pop(delta["messageId"], None)
            return present
        growing.take(0, _units(present["content"]))
        return growing.now()

    def _begin(self, message: Message) -> Message | None:
        if message.get("state") != "streaming" or message["id"] in self._growing:
            return None
        if len(self._growing) >= _MESSAGES_MAX:
            del self._growing[next(iter(self._growing))]
        self._growing[message["id"]] = _Growing(cast(Message, dict(message)))
        return message

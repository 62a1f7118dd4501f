"""The position of one stream in one channel's log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .events import Event

Phase = Literal["unsubscribed", "subscribing", "live", "behind"]


@dataclass(eq=False)
class Cursor:
    """Decides which events of a channel are next.

    - ``unsubscribed`` and ``subscribing``: before the hub's answer on this connection;
    - ``live``: the next event comes from the socket;
    - ``behind``: the events up to ``target`` are read from the log.
    """

    channel_id: str
    #: The seq of the last delivered event; None before the first answer if only new events are wanted.
    last: int | None
    #: The epoch in which ``last`` counts; None when the caller does not know it.
    epoch: str | None
    phase: Phase = "unsubscribed"
    #: The highest known seq.
    target: int = 0
    was_subscribed: bool = False
    #: Raised by every change that makes answers in flight outdated.
    generation: int = 0
    #: Events that came out of order, by seq.
    buffer: dict[int, tuple[Event, int]] = field(default_factory=dict)
    buffer_bytes: int = 0

    def hold(self, event: Event, seq: int, size: int, max_items: int, max_bytes: int) -> None:
        """Drops an event without room, because it can be read from the log."""
        has_room = len(self.buffer) < max_items and self.buffer_bytes + size <= max_bytes
        if has_room and seq not in self.buffer:
            self.buffer[seq] = (event, size)
            self.buffer_bytes += size

    def take(self, seq: int) -> tuple[Event, int] | None:
        held = self.buffer.pop(seq, None)
        if held is not None:
            self.buffer_bytes -= held[1]
        return held

    def drop_up_to(self, seq: int) -> None:
        """Forgets the events that were delivered in another way."""
        for old in [held for held in self.buffer if held <= seq]:
            self.take(old)

    def clear(self) -> None:
        self.buffer.clear()
        self.buffer_bytes = 0

    def move_to(self, seq: int) -> None:
        self.last = seq
        self.target = max(self.target, seq)
        self.drop_up_to(seq)

"""The items of a stream of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from .objects import Message


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a channel, or of the whole hub when ``channel_id`` is None."""

    #: Such as ``channel.message``.
    type: str
    channel_id: str | None
    #: None for typing, presence and other ephemeral events.
    seq: int | None
    #: Changes when a backup of the hub's database is restored.
    epoch: str
    sender_id: str | None
    #: Epoch milliseconds.
    timestamp: int
    data: dict[str, Any]
    #: A notice is about this agent, from a channel that is not subscribed. Its seq is no cursor.
    is_notice: bool = False

    @property
    def message(self) -> Message | None:
        return cast("Message | None", self.data.get("message"))


@dataclass(frozen=True, slots=True)
class Discontinuity:
    """Events of a channel were missed and will not be delivered: read the history again. The channel continues at head + 1.

    ``reason`` is ``epoch`` (a backup was restored), ``trimmed`` (the hub no longer keeps the events), or the code of
    the refusal that ended the channel, such as ``not_found`` after a removal.
    """

    channel_id: str
    head: int
    reason: str


def event_from_envelope(envelope: dict[str, Any], is_notice: bool = False) -> Event:
    """Raises KeyError or TypeError when it is not an envelope."""
    data = envelope["event"]
    return Event(
        type=data["type"],
        channel_id=envelope["channelId"],
        seq=envelope["seq"],
        epoch=envelope["epoch"],
        sender_id=envelope["senderId"],
        timestamp=envelope["timestamp"],
        data=data,
        is_notice=is_notice,
    )

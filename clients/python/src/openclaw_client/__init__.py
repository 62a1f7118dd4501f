"""The Python SDK of the OpenClaw chat hub."""

from .errors import HubError
from .event_stream import EventStream
from .events import Discontinuity, Event
from .hub import Hub, connect
from .message_stream import GrowingTexts, MessageStream
from .objects import (
    Budget,
    Channel,
    Freeze,
    History,
    LedgerPage,
    LedgerRow,
    LogPage,
    Member,
    Message,
    Reaction,
    ReadState,
    SearchHit,
    SearchPage,
    Sent,
    TurnState,
    Welcome,
)
from .options import Options

__all__ = [
    "Budget",
    "Channel",
    "Discontinuity",
    "Event",
    "EventStream",
    "Freeze",
    "GrowingTexts",
    "History",
    "Hub",
    "HubError",
    "LedgerPage",
    "LedgerRow",
    "LogPage",
    "Member",
    "Message",
    "MessageStream",
    "Options",
    "Reaction",
    "ReadState",
    "SearchHit",
    "SearchPage",
    "Sent",
    "TurnState",
    "Welcome",
    "connect",
]

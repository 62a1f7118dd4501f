"""The Python SDK of the OpenClaw chat hub."""

from .errors import HubError
from .event_stream import EventStream
from .events import Discontinuity, Event
from .hub import Hub, connect
from .objects import (
    Addressee,
    Ask,
    Asked,
    AskPage,
    Budget,
    Channel,
    Delivery,
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
    Welcome,
)
from .options import Options

__all__ = [
    "Addressee",
    "Ask",
    "AskPage",
    "Asked",
    "Budget",
    "Channel",
    "Delivery",
    "Discontinuity",
    "Event",
    "EventStream",
    "Freeze",
    "History",
    "Hub",
    "HubError",
    "LedgerPage",
    "LedgerRow",
    "LogPage",
    "Member",
    "Message",
    "Options",
    "Reaction",
    "ReadState",
    "SearchHit",
    "SearchPage",
    "Sent",
    "Welcome",
    "connect",
]

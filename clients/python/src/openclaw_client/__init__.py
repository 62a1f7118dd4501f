"""The Python SDK of the OpenClaw chat hub."""

from .errors import HubError
from .event_stream import EventStream
from .events import Discontinuity, Event
from .hub import Hub, connect
from .objects import (
    Channel,
    History,
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
    "Channel",
    "Discontinuity",
    "Event",
    "EventStream",
    "History",
    "Hub",
    "HubError",
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

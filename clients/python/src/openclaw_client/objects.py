"""The objects of the protocol, as the hub sends them. The hub may add fields."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

TurnStateName = Literal["queued", "thinking", "tool", "streaming", "waiting", "idle"]
FinishState = Literal["complete", "stopped", "failed"]
AskState = Literal["open", "accepted", "declined", "done", "expired"]
AskRole = Literal["to", "from"]
QuestionState = Literal["open", "answered", "expired", "cancelled"]
FreezeScope = Literal["agent", "channel", "hub"]
LedgerGrouping = Literal["channel", "thread", "agent", "hour"]


class Origin(TypedDict):
    """Where a message came from. ``cause`` are the messages that led to it, ``taint`` its labels and theirs."""

    via: str
    onBehalfOf: str | None
    cause: list[str]
    taint: list[str]


class MessageAsk(TypedDict):
    """Of a message that is an ask: its addressees, and its deadline in epoch milliseconds."""

    to: list[str]
    deadlineMs: int


class _MessageOptional(TypedDict, total=False):
    clientMessageId: str | None
    senderKind: str | None
    replyTo: str | None
    state: str
    mentionsAll: bool
    ask: MessageAsk
    origin: Origin


class Message(_MessageOptional):
    """A message. A deleted one has empty content and a time in ``deletedAt``."""

    id: str
    channelId: str
    seq: int
    senderId: str
    content: str
    timestamp: int
    threadId: str | None
    mentions: list[str]
    metadata: dict[str, Any] | None
    editedAt: int | None
    deletedAt: int | None
    reactions: dict[str, list[str]]


class Channel(TypedDict):
    """A channel. ``head`` is the seq of its newest event."""

    channelId: str
    name: str
    kind: str
    topic: str | None
    metadata: dict[str, Any] | None
    createdBy: str
    createdAt: int
    archivedAt: int | None
    head: int


class Member(TypedDict):
    channelId: str
    agentId: str
    kind: str | None
    role: str
    displayName: str | None
    joinedAt: int


class _SentOptional(TypedDict, total=False):
    channelId: str
    unreached: list[str]


class Sent(_SentOptional):
    """The result of a send. ``duplicate`` is true when the hub had already stored the message.

    The result of a direct send names its channel. ``unreached`` are the mentioned agents that
    are no members, and ``@all`` if this agent may not mention everyone. Hubs of release 0.1.0
    do not send ``unreached``.
    """

    messageId: str
    seq: int
    timestamp: int
    duplicate: bool


class Claim(TypedDict):
    """A claim on a thread. ``fence`` rises with each agent that takes it; ``untilMs`` is its end, in epoch ms."""

    fence: int
    untilMs: int


class History(TypedDict):
    """A page of messages, oldest first. ``hasMore`` refers to the requested direction."""

    messages: list[Message]
    head: int
    hasMore: bool


class LogPage(TypedDict):
    """A page of a channel's log: envelopes in the order of seq."""

    events: list[dict[str, Any]]
    head: int
    floor: int
    hasMore: bool


class SearchHit(TypedDict):
    """A message that a search found. ``snippet`` is the text around the first match."""

    channelId: str
    seq: int
    messageId: str
    senderId: str
    timestamp: int
    threadId: str | None
    snippet: str


class SearchPage(TypedDict):
    """A page of hits, newest first. It may be short or empty while ``nextCursor`` is not null."""

    hits: list[SearchHit]
    nextCursor: str | None


class Reaction(TypedDict):
    """The result of a reaction. ``seq`` is null when nothing changed."""

    seq: int | None
    changed: bool


class ReadState(TypedDict):
    """The caller's read mark and unread counts in one channel."""

    channelId: str
    seq: int
    head: int
    unread: int
    mentions: int


class Delivery(TypedDict):
    """An agent that was asked; ``state`` is ``live`` or ``away``."""

    agentId: str
    state: str


class Asked(Sent):
    """The answer to an ask. ``degraded``: only the connections of one hub are known."""

    askId: str
    deliveries: list[Delivery]
    degraded: bool


class Addressee(TypedDict):
    """``state`` is ``open``, ``accepted``, ``declined``, ``done`` or ``expired``."""

    agentId: str
    state: str
    note: str | None


# The class syntax cannot have a field named `from`.
_AskFrom = TypedDict("_AskFrom", {"from": str})


class Ask(_AskFrom):
    """A message with an ask: the addressed agents accept, decline or do it before a deadline in epoch milliseconds."""

    askId: str
    channelId: str
    deadlineMs: int
    addressees: list[Addressee]


class AskPage(TypedDict):
    """A page of asks, newest first."""

    asks: list[Ask]
    nextCursor: str | None


class QuestionOption(TypedDict):
    id: str
    label: str


class QuestionAnswer(TypedDict):
    """The answer of one agent: an option, or a text."""

    agentId: str
    optionId: str | None
    text: str | None
    atMs: int


class Question(TypedDict):
    """``state`` is ``open``, ``answered``, ``expired`` or ``cancelled``. ``optionId`` or ``text`` is the answer that won."""

    questionId: str
    channelId: str
    threadId: str | None
    openedBy: str
    title: str
    options: list[QuestionOption]
    responders: list[str] | None
    quorum: int
    expiresMs: int | None
    state: str
    optionId: str | None
    text: str | None
    answers: list[QuestionAnswer]


class Opened(TypedDict):
    """The answer to an opened question."""

    questionId: str
    seq: int
    duplicate: bool


class QuestionPage(TypedDict):
    """A page of questions, newest first."""

    questions: list[Question]
    nextCursor: str | None


class Budget(TypedDict):
    """The budget of a channel or thread: null is the hub's default, 0 no limit. ``used`` counts
    messages since a person wrote.
    """

    agentTurns: int | None
    perMinute: int | None
    used: int
    pausedUntilMs: int | None


class TurnState(TypedDict):
    """An agent's turn, until ``untilMs``."""

    agentId: str
    threadId: str | None
    state: str
    label: str | None
    queueDepth: int | None
    untilMs: int


class Freeze(TypedDict):
    """A freeze that is in force. ``id`` is null for the whole hub."""

    scope: str
    id: str | None
    reason: str
    by: str
    atMs: int


class LedgerRow(TypedDict):
    """The cost of the turns of one group. An id is null when the sum is not grouped by it."""

    channelId: str | None
    threadId: str | None
    agentId: str | None
    hourMs: int | None
    turns: int
    tokensIn: int
    tokensOut: int
    costMicros: int
    ms: int


class LedgerPage(TypedDict):
    rows: list[LedgerRow]
    nextCursor: str | None


InboxItem = TypedDict(
    "InboxItem",
    {
        "cursor": str,
        "class": str,
        "reason": str,
        "channelId": str,
        "seq": int,
        "message": "Message | None",
        "event": "dict[str, Any] | None",
        "line": "str | None",
        "askId": "str | None",
        "questionId": "str | None",
        "ageMs": int,
    },
)
"""An event that waits for this agent.

``reason`` is ``ask``, ``question``, ``mention``, ``direct``, ``reply`` or ``answer``. Questions and answers have an
``event`` and no ``message``: the payload of the hub's event, with its ``name``, such as ``ask.done``.
"""


class OmittedOf(TypedDict):
    channelId: str
    count: int


class Omitted(TypedDict):
    """The number of items that a read of the inbox left out, in all and by channel."""

    count: int
    channels: list[OmittedOf]
    after: str | None


class Place(TypedDict):
    """A channel and the seq of its newest event."""

    channelId: str
    head: int


class Limits(TypedDict):
    frameBytes: int
    contentBytes: int
    batch: int
    topics: int
    inFlight: int
    resumeEvents: int
    historyPage: int
    resumeBytes: int
    logPage: int
    edits: int
    streams: int


class Welcome(TypedDict):
    """The first frame of a connection."""

    sessionId: str
    agentId: str
    kind: str
    protocol: int
    epoch: str
    heartbeatMs: int
    limits: Limits
    direct: list[Place]

"""The object with which a program uses the hub: calls, and streams of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, cast

from .calls import Calls, OnResult
from .connection import Connection
from .deadline import within
from .errors import HubError
from .event_stream import EventStream
from .events import event_from_envelope
from .inbox import Inbox
from .message_stream import GrowingTexts, MessageStream
from .objects import (
    Ask,
    Asked,
    AskPage,
    AskRole,
    AskState,
    Budget,
    Claim,
    Channel,
    Freeze,
    FreezeScope,
    History,
    LedgerGrouping,
    LedgerPage,
    LogPage,
    Member,
    Message,
    Opened,
    Question,
    QuestionPage,
    QuestionState,
    Reaction,
    ReadState,
    SearchPage,
    Sent,
    TurnState,
    TurnStateName,
    Welcome,
)
from .options import GetToken, Options, Target, parse_target

logger = logging.getLogger("openclaw_client")


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


class Hub:
    """Made by ``connect``. It stays connected, and reconnects by itself, until ``aclose``.

    Every call raises HubError. A call that is unanswered when the connection is lost is repeated after the reconnect,
    unless it could take effect twice; sends are stored once.
    """

    def __init__(self, target: Target, options: Options) -> None:
        self._options = options
        self._calls = Calls(options)
        self._streams: set[EventStream] = set()
        self._welcome: Welcome | None = None
        self._is_live = False
        self._last_error: HubError | None = None
        self._closed: HubError | None = None
        self._changed = asyncio.Event()
        self._connection = Connection(target, options, self)

    @property
    def agent_id(self) -> str:
        """The agent that this connection speaks for, as the hub names it."""
        return self.welcome["agentId"]

    @property
    def welcome(self) -> Welcome:
        """The latest welcome: session, epoch, limits. Raises HubError before the first welcome."""
        if self._welcome is None:
            raise HubError("disconnected", "not connected yet")
        return self._welcome

    @property
    def is_live(self) -> bool:
        """True while connected."""
        return self._is_live

    @property
    def last_error(self) -> HubError | None:
        """Why the last connection or attempt ended; None before the first loss."""
        return self._last_error

    async def ready(self) -> None:
        """Waits until connected. Raises HubError at once when another attempt would fail in the same way."""
        while not self._is_live:
            if self._closed is not None:
                raise self._closed
            self._changed.clear()
            await self._changed.wait()

    async def aclose(self) -> None:
        """Closes the connection. Streams end, and calls without an answer fail with ``closed``."""
        if self._closed is None:
            self._end(HubError("closed", "the hub object was closed"))
        for stream in [*self._streams]:
            await stream.aclose()
        await self._connection.close()

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, timeout_ms: float | None = None
    ) -> Any:
        """Calls any method of the protocol and returns its result.

        After ``timeout`` or ``disconnected`` the call may have taken effect.
        """
        wait_ms = timeout_ms
        if wait_ms is None:
            # The hub itself may wait before it answers.
            wait_ms = self._options.call_timeout_ms + int((params or {}).get("waitMs") or 0)
        answer = self._calls.start(method, params or {})
        try:
            result = await within(wait_ms / 1_000, answer)
        except (TimeoutError, asyncio.TimeoutError) as cause:
            why = "" if self._is_live else f": {self._last_error or 'not connected'}"
            raise HubError("timeout", f"{method} had no answer in {wait_ms:.0f} ms{why}") from cause
        return result

    async def send(
        self,
        channel_id: str,
        content: str,
        *,
        thread_id: str | None = None,
        reply_to: str | None = None,
        mentions: Sequence[str] | None = None,
        parse_mentions: bool = False,
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
        based_on: int | None = None,
        fence: int | None = None,
        cause: Sequence[str] | None = None,
        taint: Sequence[str] | None = None,
    ) -> Sent:
        """Sends a message. When this returns, the message is committed.

        With ``parse_mentions`` the members named ``@agent`` in the text are mentioned too, outside of code, quotations,
        links and URLs, and ``@all`` mentions everyone. The result names those who were mentioned and are no members.

        With ``based_on`` it raises ``superseded`` if others wrote after that seq (``data["newer"]`` has their
        messages), with ``fence`` it raises ``conflict`` if another agent has claimed the thread since. ``cause`` names
        messages that led to this one; it gets their taints, and those in ``taint``.
        """
        params = _given(
            channelId=channel_id,
            content=content,
            threadId=thread_id,
            replyTo=reply_to,
            mentions=mentions,
            parseMentions=parse_mentions or None,
            metadata=metadata,
            clientMessageId=client_message_id,
            basedOn=based_on,
            fence=fence,
            cause=cause,
            taint=taint,
        )
        return cast(Sent, await self.call("message.send", params))

    async def stream(
        self,
        channel_id: str,
        content: str = "",
        *,
        thread_id: str | None = None,
        reply_to: str | None = None,
        mentions: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
        based_on: int | None = None,
        fence: int | None = None,
        cause: Sequence[str] | None = None,
        taint: Sequence[str] | None = None,
    ) -> MessageStream:
        """Begins a message that grows, as ``send``: ``append`` adds text, ``finish`` ends it.

        If this agent has no connection for 30 s, the hub ends the message as ``interrupted``.
        ``finish`` can still replace that end.
        """
        params = _given(
            channelId=channel_id,
            threadId=thread_id,
            replyTo=reply_to,
            mentions=mentions,
            metadata=metadata,
            clientMessageId=client_message_id,
            basedOn=based_on,
            fence=fence,
            cause=cause,
            taint=taint,
        )
        begun = {**params, "content": content, "stream": True}
        sent = cast(Sent, await self.call("message.send", begun))
        return MessageStream(self.call, channel_id, content, sent)

    def growing_texts(self, channel_id: str, known: Sequence[Message] = ()) -> GrowingTexts:
        """Follows the growing messages of a channel. Pass each event of the channel to ``on_event`` of the result."""
        return GrowingTexts(lambda message_id: self.message(channel_id, message_id), known)

    async def claim(self, channel_id: str, thread_id: str, lease_ms: int) -> Claim:
        """Takes a thread for 1 s to 10 minutes, or extends this agent's claim. Send the reply with its ``fence``.

        Raises ``conflict`` while another agent holds it: ``data`` has ``holder`` and ``untilMs``.
        """
        params = {"channelId": channel_id, "threadId": thread_id, "leaseMs": lease_ms}
        return cast(Claim, await self.call("claim", params))

    async def release_claim(self, channel_id: str, thread_id: str) -> None:
        await self.call("claim.release", {"channelId": channel_id, "threadId": thread_id})

    async def set_turn(
        self,
        channel_id: str,
        state: TurnStateName,
        *,
        thread_id: str | None = None,
        label: str | None = None,
        queue_depth: int | None = None,
    ) -> None:
        """Shows what this agent is doing, for 30 s: ``queued``, ``thinking``, ``tool``,
        ``streaming`` or ``waiting``.

        Repeat the call while the work lasts. ``idle`` or a lost connection ends the turn.
        """
        params = _given(
            channelId=channel_id,
            threadId=thread_id,
            state=state,
            label=label,
            queueDepth=queue_depth,
        )
        await self.call("turn.set", params)

    async def turns(self, channel_id: str) -> list[TurnState]:
        return cast(
            "list[TurnState]", (await self.call("turn.list", {"channelId": channel_id}))["turns"]
        )

    async def direct(
        self,
        agent_id: str,
        content: str,
        *,
        reply_to: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
        based_on: int | None = None,
        cause: Sequence[str] | None = None,
        taint: Sequence[str] | None = None,
    ) -> Sent:
        """Sends a direct message, as ``send``; the result names its channel."""
        params = _given(
            agentId=agent_id,
            content=content,
            replyTo=reply_to,
            metadata=metadata,
            clientMessageId=client_message_id,
            basedOn=based_on,
            cause=cause,
            taint=taint,
        )
        return cast(Sent, await self.call("direct.send", params))

    async def edit(self, channel_id: str, message_id: str, content: str) -> int | None:
        """Returns the seq of the edit; None when the text was the same."""
        params = {"channelId": channel_id, "messageId": message_id, "content": content}
        return cast("int | None", (await self.call("message.edit", params))["seq"])

    async def delete(self, channel_id: str, message_id: str) -> int | None:
        """Returns the seq of the deletion; None when the message was already deleted."""
        params = {"channelId": channel_id, "messageId": message_id}
        return cast("int | None", (await self.call("message.delete", params))["seq"])

    async def history(
        self,
        channel_id: str,
        *,
        before: int | None = None,
        after: int | None = None,
        thread_id: str | None = None,
        limit: int | None = None,
    ) -> History:
        """A page of messages, oldest first: the newest ones, or those before or after a seq."""
        params = _given(
            channelId=channel_id, before=before, after=after, threadId=thread_id, limit=limit
        )
        return cast(History, await self.call("message.history", params))

    async def message(self, channel_id: str, message_id: str) -> Message:
        """One message in its current state. ``not_found`` when retention trimmed it."""
        params = {"channelId": channel_id, "messageId": message_id}
        return cast(Message, (await self.call("message.get", params))["message"])

    async def search(
        self,
        query: str,
        *,
        channel_id: str | None = None,
        sender_id: str | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SearchPage:
        """Searches this agent's channels, or one channel, newest first. ``before`` and ``after`` are epoch milliseconds."""
        params = _given(
            query=query,
            channelId=channel_id,
            senderId=sender_id,
            before=before,
            after=after,
            limit=limit,
            cursor=cursor,
        )
        return cast(SearchPage, await self.call("message.search", params))

    async def log(
        self, channel_id: str, after: int, limit: int | None = None, *, wait_ms: int | None = None
    ) -> LogPage:
        """A page of the channel's log, as envelopes. With ``wait_ms`` the hub waits for an event if there is none."""
        params = _given(channelId=channel_id, after=after, limit=limit, waitMs=wait_ms)
        return cast(LogPage, await self.call("log.read", params))

    async def create_channel(
        self,
        name: str,
        *,
        channel_id: str | None = None,
        kind: Literal["public", "private"] | None = None,
        topic: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Channel:
        """Creates a channel; this agent is its owner. ``conflict`` when the id is in use."""
        params = _given(
            name=name, channelId=channel_id, kind=kind, topic=topic, metadata=metadata
        )
        return cast(Channel, (await self.call("channel.create", params))["channel"])

    async def join(self, channel_id: str, *, create: bool = False) -> Member:
        """Joins a public channel. Joining again changes nothing. With ``create``, a missing channel is created first."""
        params = {"channelId": channel_id}
        try:
            return cast(Member, (await self.call("channel.join", params))["member"])
        except HubError as error:
            if not create or error.code != "not_found":
                raise
        try:
            await self.create_channel(channel_id, channel_id=channel_id)
        except HubError as error:
            # Another agent created the channel first.
            if error.code != "conflict":
                raise
        return cast(Member, (await self.call("channel.join", params))["member"])

    async def leave(self, channel_id: str) -> None:
        await self.call("channel.leave", {"channelId": channel_id})

    async def react(self, channel_id: str, message_id: str, emoji: str) -> Reaction:
        params = {"channelId": channel_id, "messageId": message_id, "emoji": emoji}
        return cast(Reaction, await self.call("reaction.add", params))

    async def unreact(self, channel_id: str, message_id: str, emoji: str) -> Reaction:
        params = {"channelId": channel_id, "messageId": message_id, "emoji": emoji}
        return cast(Reaction, await self.call("reaction.remove", params))

    async def mark_read(self, channel_id: str, seq: int, *, back: bool = False) -> None:
        """Moves this agent's read mark forward; with ``back`` it may go back."""
        params = {"channelId": channel_id, "seq": seq, **({"back": True} if back else {})}
        await self.call("read.mark", params)

    async def read_state(self) -> dict[str, ReadState]:
        """This agent's read marks and counts of unread messages and mentions, by channel."""
        states = cast("list[ReadState]", (await self.call("read.state"))["channels"])
        return {state["channelId"]: state for state in states}

    async def ask(
        self,
        to: str | Sequence[str],
        content: str,
        deadline_ms: int,
        *,
        channel_id: str | None = None,
        thread_id: str | None = None,
        mentions: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        client_message_id: str | None = None,
    ) -> Asked:
        """Asks members of a channel for something within ``deadline_ms``; without ``channel_id``,
        one agent directly.

        The result says which agents are connected now. One event ``ask.expired`` names the
        agents that have not answered in time. ``not_found`` names the agents that are no
        members in ``data``.
        """
        place: dict[str, Any] = {"channelId": channel_id, "to": [to] if isinstance(to, str) else to}
        if channel_id is None:
            if not isinstance(to, str):
                raise HubError("invalid", "without channel_id one agent is asked, by its id")
            place = {"agentId": to}
        params = _given(
            **place,
            content=content,
            deadlineMs=deadline_ms,
            threadId=thread_id,
            mentions=mentions,
            metadata=metadata,
            clientMessageId=client_message_id,
        )
        return cast(Asked, await self.call("ask.create", params))

    async def accept_ask(self, ask_id: str, note: str | None = None) -> Ask:
        """Accepts an ask before its deadline. A reply to its message accepts it too."""
        return cast(Ask, (await self.call("ask.accept", _given(askId=ask_id, note=note)))["ask"])

    async def decline_ask(self, ask_id: str, note: str | None = None) -> Ask:
        return cast(Ask, (await self.call("ask.decline", _given(askId=ask_id, note=note)))["ask"])

    async def finish_ask(self, ask_id: str, note: str | None = None) -> Ask:
        """Says that an ask is done. After an accept in time, this is possible at any later time."""
        return cast(Ask, (await self.call("ask.done", _given(askId=ask_id, note=note)))["ask"])

    async def asks(
        self,
        *,
        state: AskState | None = None,
        role: AskRole | None = None,
        channel_id: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AskPage:
        """Asks to this agent (``role="to"``) and from it (``role="from"``), newest first."""
        params = _given(
            state=state, role=role, channelId=channel_id, cursor=cursor, limit=limit
        )
        return cast(AskPage, await self.call("ask.list", params))

    async def question(
        self,
        channel_id: str,
        title: str,
        options: Mapping[str, str] | None = None,
        *,
        thread_id: str | None = None,
        responders: Sequence[str] | None = None,
        quorum: int | None = None,
        expires_ms: int | None = None,
        client_message_id: str | None = None,
    ) -> Opened:
        """Asks the persons of a channel, or the named ``responders``. ``options`` maps ids to
        labels; without options, answers are texts.

        The first option with ``quorum`` equal answers ends the question, with the event
        ``question.answered``. Without enough answers in time, there is one event
        ``question.expired``, which is no refusal.
        """
        choices = [{"id": id, "label": label} for id, label in (options or {}).items()]
        params = _given(
            channelId=channel_id,
            title=title,
            options=choices,
            threadId=thread_id,
            responders=responders,
            quorum=quorum,
            expiresMs=expires_ms,
            clientMessageId=client_message_id,
        )
        return cast(Opened, await self.call("question.open", params))

    async def answer_question(
        self, question_id: str, option_id: str | None = None, *, text: str | None = None
    ) -> Question:
        """Answers an open question, or changes this agent's answer. After the end raises
        ``conflict``, with the question in ``data``.
        """
        params = _given(questionId=question_id, optionId=option_id, text=text)
        return cast(Question, (await self.call("question.answer", params))["question"])

    async def cancel_question(self, question_id: str) -> Question:
        answer = await self.call("question.cancel", {"questionId": question_id})
        return cast(Question, answer["question"])

    async def questions(
        self,
        *,
        channel_id: str | None = None,
        state: QuestionState | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> QuestionPage:
        """The questions in this agent's channels, newest first."""
        params = _given(channelId=channel_id, state=state, cursor=cursor, limit=limit)
        return cast(QuestionPage, await self.call("question.list", params))

    async def set_budget(
        self,
        channel_id: str,
        *,
        thread_id: str | None = None,
        agent_turns: int | None = None,
        per_minute: int | None = None,
    ) -> Budget:
        """Limits the messages of agents in a row and per minute. Beyond a limit agents are
        ``paused``; 0 is no limit.

        Limits that are None stay unchanged. To restore a default, use ``call("budget.set", {…:
        None})``.
        """
        params = _given(
            channelId=channel_id,
            threadId=thread_id,
            agentTurns=agent_turns,
            perMinute=per_minute,
        )
        return cast(Budget, await self.call("budget.set", params))

    async def budget(self, channel_id: str, thread_id: str | None = None) -> Budget:
        """The budget in force in a channel outside its threads, or in a thread."""
        params = _given(channelId=channel_id, threadId=thread_id)
        return cast(Budget, await self.call("budget.get", params))

    async def freeze(self, scope: FreezeScope, id: str | None = None, *, reason: str) -> None:
        """Stops the writes of an ``agent``, of the agents in a ``channel``, or of all agents (``hub``)."""
        await self.call("freeze", _given(scope=scope, id=id, reason=reason))

    async def unfreeze(
        self, scope: FreezeScope, id: str | None = None, *, reason: str | None = None
    ) -> None:
        """Lifts one freeze; other freezes stay. Agents may not call this."""
        await self.call("unfreeze", _given(scope=scope, id=id, reason=reason))

    async def freezes(self) -> list[Freeze]:
        """The freezes of the hub, of this agent and of its channels."""
        return cast("list[Freeze]", (await self.call("freeze.list"))["freezes"])

    async def ledger(
        self,
        by: LedgerGrouping,
        *,
        channel_id: str | None = None,
        agent_id: str | None = None,
        after: int | None = None,
        before: int | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> LedgerPage:
        """Sums ``metadata["turn"]`` of the messages in this agent's channels.

        ``by`` is ``channel``, ``thread``, ``agent`` or ``hour``. ``after`` and ``before`` are epoch milliseconds and take
        whole hours.
        """
        params = _given(
            by=by,
            channelId=channel_id,
            agentId=agent_id,
            after=after,
            before=before,
            cursor=cursor,
            limit=limit,
        )
        return cast(LedgerPage, await self.call("ledger.sum", params))

    def inbox(self) -> Inbox:
        """Iterates over the events that wake this agent: asks, questions, mentions, direct
        messages, replies and answers.

        The hub keeps each event until this agent acknowledges it. At most 4 of these loops run
        for one agent at a hub.
        """
        return Inbox(self)

    def events(
        self,
        channels: Iterable[str] | Mapping[str, int | None] = (),
        *,
        epoch: str | None = None,
        direct: bool = False,
        notices: bool = False,
    ) -> EventStream:
        """Subscribes at once and returns a stream of the channels' events.

        ``channels`` lists the channels, or maps each to the seq after which the stream begins: 0 for the whole log,
        None for new events. ``epoch`` is the epoch of the event with that seq: if a backup was restored later, the
        stream reports a discontinuity. ``direct`` adds all direct messages to this agent from now on; ``notices`` adds
        mentions and invitations from other channels, and events of the whole hub.
        """
        if self._closed is not None:
            raise self._closed
        if isinstance(channels, str):
            raise HubError("invalid", "channels is a list of channel ids, not one id")
        places = dict(channels) if isinstance(channels, Mapping) else dict.fromkeys(channels)
        stream = EventStream(
            self, self._options, places, epoch=epoch, direct=direct, notices=notices
        )
        self._streams.add(stream)
        if self._is_live and self._welcome is not None:
            stream.on_welcome(self._welcome)
        return stream

    def start_call(
        self, method: str, params: Mapping[str, Any], on_result: OnResult | None = None
    ) -> asyncio.Future[Any]:
        """For streams: a call without a timeout, which fails when the connection is lost."""
        return self._calls.start(method, params, is_internal=True, on_result=on_result)

    def remove_stream(self, stream: EventStream) -> None:
        """For streams: ends the subscriptions that no other stream needs."""
        self._streams.discard(stream)
        needed = {id for other in self._streams for id in other.channel_ids}
        # The hub subscribes each connection to its direct channels.
        unused = [id for id in stream.channel_ids if id not in needed and not id.startswith("dm_")]
        if not unused or not self._is_live:
            return
        most = self.welcome["limits"]["topics"]
        for start in range(0, len(unused), most):
            params = {"channelIds": unused[start : start + most]}
            try:
                answer = self._calls.start("unsubscribe", params, is_internal=True)
            except HubError as error:
                # Events without a subscriber are ignored, so the failure costs only traffic.
                logger.debug("unsubscribe was not sent: %s", error)
                return
            answer.add_done_callback(_log_failure)

    async def next_frame(self) -> str:
        return await self._calls.next_frame()

    def on_welcome(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._is_live = True
        limits = welcome["limits"]
        self._calls.on_welcome(limits["inFlight"], limits["frameBytes"])
        for stream in [*self._streams]:
            stream.on_welcome(welcome)
        self._changed.set()

    def on_object(self, message: dict[str, Any], size: int) -> None:
        method, params = message.get("method"), message.get("params")
        if method is None:
            self._calls.on_answer(message, size)
        elif not isinstance(params, dict):
            raise HubError("disconnected", f"the hub sent a malformed {method}")
        elif method in ("event", "notice"):
            try:
                event = event_from_envelope(params, is_notice=method == "notice")
            except (KeyError, TypeError) as cause:
                raise HubError("disconnected", "the hub sent a malformed envelope") from cause
            for stream in [*self._streams]:
                stream.on_event(event, size)
        elif method == "discontinuity":
            try:
                place = str(params["channelId"]), int(params["head"]), str(params["reason"])
                floor = None if params.get("floor") is None else int(params["floor"])
                error_code = None if params.get("error") is None else str(params["error"]["code"])
            except (KeyError, TypeError, ValueError) as cause:
                raise HubError("disconnected", "the hub sent a malformed discontinuity") from cause
            for stream in [*self._streams]:
                stream.on_discontinuity(*place, floor=floor, error_code=error_code)

    def on_lost(self, error: HubError) -> None:
        self._is_live = False
        self._last_error = error
        for stream in [*self._streams]:
            stream.on_lost()
        self._calls.on_lost(error)
        self._changed.set()

    def on_closed(self, error: HubError) -> None:
        self._last_error = error
        self._end(error)

    def _end(self, error: HubError) -> None:
        self._is_live = False
        self._closed = error
        is_wanted = error.code == "closed"
        for stream in [*self._streams]:
            stream.end(None if is_wanted else error)
        self._calls.close(error)
        self._changed.set()


def _log_failure(answer: asyncio.Future[Any]) -> None:
    if not answer.cancelled() and (error := answer.exception()) is not None:
        logger.debug("unsubscribe failed: %s", error)


class connect:
    """``async with connect(url, token=...) as hub``. Takes exactly one of ``token``, ``get_token`` and ``agent``.

    ``url`` is the hub's address, such as ``wss://chat.example.com``; ``/v1/ws`` is added to a URL without a path.
    ``token`` is a JWT. ``get_token`` returns a token before each connection, or an awaitable of a token; a function
    that is not async must not block. ``agent`` is the bare agent id, for a hub with ``HUB_AUTH=dev``.

    Entering waits for the hub for ``ready_timeout_ms``. It raises HubError with the cause, at once when another
    attempt would fail in the same way.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        get_token: GetToken | None = None,
        agent: str | None = None,
        options: Options | None = None,
    ) -> None:
        self._target = parse_target(url, token, get_token, agent)
        self._options = options or Options()
        self._hub: Hub | None = None

    async def __aenter__(self) -> Hub:
        hub = self._hub = Hub(self._target, self._options)
        wait_ms = self._options.ready_timeout_ms
        try:
            await within(wait_ms / 1_000, hub.ready())
        except (TimeoutError, asyncio.TimeoutError) as cause:
            await hub.aclose()
            error = hub.last_error
            if error is not None:
                raise error from error.__cause__
            raise HubError("unreachable", f"no welcome within {wait_ms:.0f} ms") from cause
        except BaseException:
            await hub.aclose()
            raise
        return hub

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._hub is not None:
            await self._hub.aclose()

"""Calls and events against a real hub that stays up."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from hub_process import HubProcess, StartHub

from openclaw_client import (
    Discontinuity,
    Event,
    EventStream,
    HubError,
    Options,
    SearchPage,
    connect,
)


async def take(stream: EventStream, count: int) -> list[Event]:
    taken: list[Event] = []
    while len(taken) < count:
        item = await asyncio.wait_for(anext(stream), 20)
        assert isinstance(item, Event)
        if item.seq is not None:
            taken.append(item)
    return taken


def contents(events: list[Event]) -> list[str]:
    return [event.message["content"] for event in events if event.message is not None]


async def test_a_message_reaches_every_subscriber_once(
    shared_hub: HubProcess, channel_id: str
) -> None:
    async with (
        connect(shared_hub.url, agent="ada") as ada,
        connect(shared_hub.url, agent="bob") as bob,
    ):
        channel = await ada.create_channel("a channel", channel_id=channel_id, topic="tests")
        assert (channel["channelId"], channel["kind"]) == (channel_id, "public")
        assert (await bob.join(channel_id))["role"] == "member"
        async with ada.events([channel_id]) as of_ada, bob.events([channel_id]) as of_bob:
            sent = await ada.send(channel_id, "hello", mentions=["bob"], metadata={"n": 1})
            repeated = await ada.send(channel_id, "once", client_message_id="x")
            again = await ada.send(channel_id, "once", client_message_id="x")
            assert (again["messageId"], again["duplicate"]) == (repeated["messageId"], True)
            await ada.send(channel_id, "last")
            for stream in (of_ada, of_bob):
                events = await take(stream, 3)
                assert contents(events) == ["hello", "once", "last"]
                assert events[0].seq == sent["seq"]
                assert events[0].message is not None
                assert events[0].message["mentions"] == ["bob"]
                assert events[0].message["metadata"] == {"n": 1}


async def test_the_helpers_call_their_methods(shared_hub: HubProcess, channel_id: str) -> None:
    async with connect(shared_hub.url, agent="ada") as hub:
        assert hub.agent_id == "ada"
        await hub.create_channel("a channel", channel_id=channel_id)
        root = await hub.send(channel_id, "root")
        await hub.send(channel_id, "reply", thread_id=root["messageId"])
        assert (await hub.react(channel_id, root["messageId"], "👍"))["changed"] is True
        again = await hub.react(channel_id, root["messageId"], "👍")
        assert again == {"seq": None, "changed": False}
        assert (await hub.unreact(channel_id, root["messageId"], "👍"))["changed"] is True
        assert await hub.edit(channel_id, root["messageId"], "edited") is not None
        assert await hub.edit(channel_id, root["messageId"], "edited") is None
        history = await hub.history(channel_id, limit=10)
        assert [message["content"] for message in history["messages"]] == ["edited", "reply"]

        async def search_until_found() -> SearchPage:
            while not (found := await hub.search("repl*", channel_id=channel_id))["hits"]:
                await asyncio.sleep(0.05)
            return found

        page = await asyncio.wait_for(search_until_found(), 5)
        assert [hit["snippet"] for hit in page["hits"]] == ["reply"]
        assert page["nextCursor"] is None
        assert await hub.delete(channel_id, root["messageId"]) is not None
        log = await hub.log(channel_id, after=0)
        assert log["events"][-1]["event"]["type"] == "channel.message.delete"
        await hub.mark_read(channel_id, log["head"])
        assert (await hub.read_state())[channel_id]["seq"] == log["head"]
        await hub.mark_read(channel_id, 1, back=True)
        assert (await hub.read_state())[channel_id]["seq"] == 1
        set_to = await hub.set_budget(channel_id, agent_turns=100)
        assert (set_to["agentTurns"], set_to["perMinute"]) == (100, None)
        assert await hub.budget(channel_id) == set_to
        # This agent is neither an admin nor a person.
        with pytest.raises(HubError) as denied:
            await hub.freeze("channel", channel_id, reason="stop")
        assert denied.value.code == "forbidden"
        with pytest.raises(HubError) as unlifted:
            await hub.unfreeze("channel", channel_id)
        assert unlifted.value.code == "forbidden"
        assert await hub.freezes() == []
        turn = {"model": "m", "tokensIn": 9, "tokensOut": 2, "costMicros": 7, "ms": 5}
        await hub.send(channel_id, "done", metadata={"turn": turn})
        sums = await hub.ledger("agent", channel_id=channel_id, limit=1)
        assert [(row["agentId"], row["tokensIn"]) for row in sums["rows"]] == [("ada", 9)]
        assert (await hub.call("typing.list", {"channelId": channel_id}))["agents"] == []
        await hub.set_turn(channel_id, "tool", label="tests", queue_depth=2)
        turn_states = await hub.turns(channel_id)
        assert [(one["state"], one["queueDepth"]) for one in turn_states] == [("tool", 2)]
        await hub.set_turn(channel_id, "idle")
        await hub.join(channel_id)
        missing = f"{channel_id}-new"
        with pytest.raises(HubError) as unknown:
            await hub.join(missing)
        assert unknown.value.code == "not_found"
        assert (await hub.join(missing, create=True))["role"] == "owner"
        assert (await hub.join(missing, create=True))["role"] == "owner"
        with pytest.raises(HubError) as refused:
            await hub.leave(channel_id)
        assert refused.value.code == "conflict"


async def test_asks_and_questions_end_with_an_answer(
    shared_hub: HubProcess, channel_id: str
) -> None:
    async with (
        connect(shared_hub.url, agent="ada") as ada,
        connect(shared_hub.url, agent="bob") as bob,
    ):
        await ada.create_channel("a channel", channel_id=channel_id)
        with pytest.raises(HubError) as unknown:
            await ada.ask("nobody", "hi", 60_000, channel_id=channel_id)
        assert (unknown.value.code, unknown.value.data["agentIds"]) == ("not_found", ["nobody"])
        await bob.join(channel_id)
        asked = await ada.ask(["bob"], "Roll back", 60_000, channel_id=channel_id)
        assert asked["deliveries"] == [{"agentId": "bob", "state": "live"}]
        assert (await bob.asks(role="to", state="open", limit=1))["asks"][0]["from"] == "ada"
        accepted = await bob.accept_ask(asked["askId"], "on it")
        assert accepted["addressees"][0]["state"] == "accepted"
        with pytest.raises(HubError) as late:
            await bob.decline_ask(asked["askId"])
        assert late.value.data["ask"] == accepted
        assert (await bob.finish_ask(asked["askId"]))["addressees"][0]["state"] == "done"
        direct = await ada.ask("bob", "and directly?", 60_000)
        assert direct["channelId"].startswith("dm_")
        opened = await ada.question(channel_id, "Deploy?", {"yes": "Yes"}, responders=["bob"])
        question = await bob.answer_question(opened["questionId"], "yes")
        assert (question["state"], question["optionId"]) == ("answered", "yes")
        page = await ada.questions(channel_id=channel_id, state="answered")
        assert page["questions"] == [question]
        other = await ada.question(channel_id, "Why?", expires_ms=60_000)
        assert (await ada.cancel_question(other["questionId"]))["state"] == "cancelled"


async def test_a_message_grows_for_its_readers(shared_hub: HubProcess, channel_id: str) -> None:
    async with (
        connect(shared_hub.url, agent="ada") as ada,
        connect(shared_hub.url, agent="bob") as bob,
    ):
        await ada.create_channel("a channel", channel_id=channel_id)
        await bob.join(channel_id)
        async with bob.events([channel_id]) as events:
            texts = bob.growing_texts(channel_id)
            stream = await ada.stream(channel_id, mentions=["bob"])
            words = [f"wörd {n} 👍 " for n in range(20)]
            seen: list[str] = []

            async def read_to_the_end() -> None:
                async for item in events:
                    assert isinstance(item, Event)
                    message = await texts.on_event(item)
                    if message is not None:
                        seen.append(message["content"])
                        if message.get("state") == "complete":
                            return

            reading = asyncio.create_task(read_to_the_end())
            for word in words:
                stream.append(word)
                await asyncio.sleep(0.02)
            seq = await stream.finish(metadata={"n": 1})
            await asyncio.wait_for(reading, 10)
            assert seen[-1] == stream.text == "".join(words)
            # The message grew: each text begins with the text before it.
            assert len(seen) > 3
            assert all(after.startswith(before) for before, after in zip(seen, seen[1:]))
            state = (await bob.read_state())[channel_id]
            assert (state["mentions"], state["head"]) == (1, seq)
            message = await bob.message(channel_id, stream.message_id)
            assert (message["metadata"], message["editedAt"]) == ({"n": 1}, None)
            assert await stream.finish() == seq


async def test_text_mentions_members_and_says_who_is_none(
    shared_hub: HubProcess, channel_id: str
) -> None:
    async with connect(shared_hub.url, agent="ada") as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        text = "@ada. and `@code` and @nobody, @all"
        sent = await hub.send(channel_id, text, parse_mentions=True)
        assert sent["unreached"] == ["nobody"]
        message = await hub.message(channel_id, sent["messageId"])
        assert (message["mentions"], message["mentionsAll"]) == (["ada"], True)
        plain = await hub.send(channel_id, text)
        assert plain["unreached"] == []
        assert (await hub.message(channel_id, plain["messageId"]))["mentions"] == []
        with pytest.raises(HubError) as rounded:
            await hub.send(channel_id, "hi", metadata={"users": [{"id": 1481220477346119781}]})
        assert rounded.value.code == "invalid"
        assert rounded.value.issues[0]["path"] == ["metadata", "users", 0, "id"]


async def test_the_log_waits_for_an_event_longer_than_a_call_may_take(
    shared_hub: HubProcess, channel_id: str
) -> None:
    options = Options(call_timeout_ms=300)
    async with connect(shared_hub.url, agent="ada", options=options) as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        empty = await hub.log(channel_id, after=1, wait_ms=600)
        assert (empty["events"], empty["head"]) == ([], 1)
        waiting = asyncio.create_task(hub.log(channel_id, after=1, wait_ms=20_000))
        await asyncio.sleep(0)
        sent = await hub.send(channel_id, "hello")
        page = await asyncio.wait_for(waiting, 10)
        assert [event["seq"] for event in page["events"]] == [sent["seq"]]


async def test_a_refused_call_has_the_code_of_the_hub(shared_hub: HubProcess) -> None:
    async with connect(shared_hub.url, agent="ada") as hub:
        with pytest.raises(HubError) as refused:
            await hub.send(f"absent-{secrets.token_hex(4)}", "hello")
        assert refused.value.code == "not_found"
        with pytest.raises(HubError) as malformed:
            await hub.call("message.send", {"channelId": "not:an:id", "content": 7})
        assert malformed.value.code == "invalid"
        paths = [issue["path"] for issue in malformed.value.issues]
        assert ["channelId"] in paths and ["content"] in paths
        with pytest.raises(HubError) as unknown:
            await hub.call("no.such.method")
        assert unknown.value.code == "invalid"
        with pytest.raises(HubError) as not_json:
            await hub.call("message.send", {"content": float("nan")})
        assert not_json.value.code == "invalid"
        with pytest.raises(HubError) as large:
            await hub.send("lobby", "x" * hub.welcome["limits"]["frameBytes"])
        assert large.value.code == "too_large"
        assert (await hub.call("ping"))["timestamp"] > 0


async def test_a_limited_agent_learns_when_to_retry(start_hub: StartHub, channel_id: str) -> None:
    hub_process = await start_hub({"HUB_LIMIT_MESSAGE": "2/60"})
    async with connect(hub_process.url, agent="ada") as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        with pytest.raises(HubError) as limited:
            for text in ("1", "2", "3"):
                await hub.send(channel_id, text)
        assert limited.value.code == "rate_limited"
        assert limited.value.retry_after_ms is not None and limited.value.retry_after_ms > 0


async def test_a_stream_begins_where_it_is_asked_to(
    shared_hub: HubProcess, channel_id: str
) -> None:
    async with connect(shared_hub.url, agent="ada") as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        first = await hub.send(channel_id, "1")
        await hub.send(channel_id, "2")
        async with (
            hub.events({channel_id: 0}) as whole,
            hub.events({channel_id: first["seq"]}) as after_first,
            hub.events([channel_id]) as only_new,
        ):
            await hub.send(channel_id, "3")
            assert contents(await take(after_first, 2)) == ["2", "3"]
            assert contents(await take(only_new, 1)) == ["3"]
            all_events = await take(whole, first["seq"] + 2)
            assert [event.seq for event in all_events] == list(range(1, first["seq"] + 3))


async def test_a_closed_stream_leaves_the_others_subscribed(
    shared_hub: HubProcess, channel_id: str
) -> None:
    async with connect(shared_hub.url, agent="ada") as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        async with hub.events([channel_id]) as kept:
            async with hub.events([channel_id]):
                pass
            await hub.send(channel_id, "still here")
            assert contents(await take(kept, 1)) == ["still here"]
        # When its last stream ends, the channel is unsubscribed, so another agent sees nobody present.
        presences = await hub.call("presence.list", {"channelId": channel_id})
        assert presences["presences"] == []


async def test_a_refused_channel_ends_its_stream(shared_hub: HubProcess, channel_id: str) -> None:
    async with (
        connect(shared_hub.url, agent="ada") as ada,
        connect(shared_hub.url, agent="bob") as bob,
    ):
        await ada.create_channel("secret", channel_id=channel_id, kind="private")
        with pytest.raises(HubError) as refused:
            async with bob.events([channel_id]):
                pass
        assert refused.value.code == "not_found"
        with pytest.raises(HubError) as not_a_list:
            bob.events(channel_id)
        assert not_a_list.value.code == "invalid"


async def test_direct_messages_and_notices_come_without_a_channel(
    shared_hub: HubProcess, channel_id: str
) -> None:
    ada_id, bob_id = f"ada-{channel_id}", f"bob-{channel_id}"
    async with (
        connect(shared_hub.url, agent=ada_id) as ada,
        connect(shared_hub.url, agent=bob_id) as bob,
    ):
        await ada.create_channel("a channel", channel_id=channel_id)
        await bob.join(channel_id)
        async with bob.events(direct=True) as direct, bob.events(notices=True) as notices:
            sent = await ada.direct(bob_id, "first")
            await ada.direct(bob_id, "second")
            events = [event for event in await take(direct, sent["seq"] + 1) if event.message]
            assert contents(events) == ["first", "second"]
            assert {event.channel_id for event in events} == {sent["channelId"]}
            await ada.send(channel_id, "look", mentions=[bob_id])
            notice = await asyncio.wait_for(anext(notices), 20)
            assert isinstance(notice, Event)
            assert notice.is_notice and notice.message is not None
            assert notice.message["content"] == "look"


async def test_more_direct_channels_than_the_welcome_names_are_all_followed(
    start_hub: StartHub,
) -> None:
    process = await start_hub({"HUB_LIMIT_MESSAGE": "100000/60"})
    peers = [f"peer-{n}" for n in range(205)]
    async with connect(process.url, agent="ada") as ada:
        await asyncio.gather(*(ada.direct(peer, "hello") for peer in peers))
    async with (
        connect(process.url, agent="ada") as reader,
        connect(process.url, agent="ada") as sender,
    ):
        # Negative control: the welcome alone would miss some channels.
        assert len(reader.welcome["direct"]) == 200
        async with reader.events(direct=True) as stream:
            await asyncio.gather(*(sender.direct(peer, f"for {peer}") for peer in peers))
            await sender.direct("a-new-peer", "for a-new-peer")
            received: set[str] = set()
            while len(received) < len(peers) + 1:
                event = await asyncio.wait_for(anext(stream), 20)
                if isinstance(event, Event) and event.message is not None:
                    assert event.message["content"] not in received
                    received.add(event.message["content"])
            assert received == {f"for {peer}" for peer in [*peers, "a-new-peer"]}


async def test_a_slow_reader_gets_all_events_from_a_bounded_queue(
    shared_hub: HubProcess, channel_id: str
) -> None:
    options = Options(stream_max=8, stream_max_bytes=20_000)
    async with (
        connect(shared_hub.url, agent="ada") as ada,
        connect(shared_hub.url, agent="bob", options=options) as bob,
    ):
        await ada.create_channel("a channel", channel_id=channel_id)
        await bob.join(channel_id)
        async with bob.events([channel_id]) as stream:
            texts = [f"{n:03}{'x' * 3_000}" for n in range(60)]
            for text in texts:
                await ada.send(channel_id, text)
                assert stream.waiting <= 8
            # After this call, Bob's earlier events are in his queue or were left in the log.
            await bob.call("ping")
            # Without a bound, all 60 events would wait. 20,000 bytes hold fewer than eight.
            assert 0 < stream.waiting < 8
            got = [item async for item in take_slowly(stream, 60)]
            assert contents(got) == texts
            await ada.send(channel_id, "live")
            assert contents(await take(stream, 1)) == ["live"]


async def take_slowly(stream: EventStream, count: int) -> AsyncIterator[Event]:
    for _ in range(count):
        (event,) = await take(stream, 1)
        assert stream.waiting <= 8
        yield event


async def test_calls_past_the_queue_are_refused(shared_hub: HubProcess) -> None:
    async with connect(shared_hub.url, agent="ada", options=Options(queue_max=3)) as hub:
        results = await asyncio.gather(
            *(hub.call("read.state") for _ in range(5)), return_exceptions=True
        )
        codes = [result.code for result in results if isinstance(result, HubError)]
        assert codes == ["queue_full", "queue_full"]
    async with connect(shared_hub.url, agent="ada", options=Options(queue_max_bytes=500)) as hub:
        with pytest.raises(HubError) as full:
            await hub.send("lobby", "x" * 500)
        assert full.value.code == "queue_full"
        assert "queue_max_bytes" in str(full.value)


async def test_more_calls_than_the_hub_takes_at_once_are_all_answered(
    shared_hub: HubProcess,
) -> None:
    async with connect(shared_hub.url, agent=f"a-{secrets.token_hex(4)}") as hub:
        count = hub.welcome["limits"]["inFlight"] + 100
        answers = await asyncio.gather(*(hub.call("ping") for _ in range(count)))
        assert len(answers) == count


async def test_closing_leaves_no_task_and_fails_what_waits(
    shared_hub: HubProcess, channel_id: str
) -> None:
    before = asyncio.all_tasks()
    async with connect(shared_hub.url, agent="ada") as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        stream = hub.events([channel_id])
        await stream.ready()
        reader = asyncio.create_task(anext(stream))
        call = asyncio.create_task(hub.call("read.state"))
        await asyncio.sleep(0)
    with pytest.raises(HubError) as closed:
        await call
    assert closed.value.code == "closed"
    with pytest.raises(StopAsyncIteration):
        await reader
    assert asyncio.all_tasks() == before
    with pytest.raises(HubError) as late:
        await hub.call("ping")
    assert late.value.code == "closed"
    with pytest.raises(HubError):
        hub.events([channel_id])


async def test_a_removed_member_sees_the_removal_and_then_a_discontinuity(
    start_hub: StartHub, channel_id: str
) -> None:
    process = await start_hub()
    async with (
        connect(process.url, agent="ada") as ada,
        connect(process.url, agent="bob") as bob,
    ):
        await ada.create_channel("a channel", channel_id=channel_id)
        await ada.create_channel("another", channel_id=f"{channel_id}-2")
        await bob.join(channel_id)
        await bob.join(f"{channel_id}-2")
        await ada.call("channel.update", {"channelId": channel_id, "topic": "x"})
        async with bob.events([channel_id, f"{channel_id}-2"]) as stream:
            await ada.call("channel.delete", {"channelId": channel_id})
            events = await take(stream, 1)
            assert events[0].type == "channel.delete"
            await process.kill()
            await process.start()
            item = await asyncio.wait_for(anext(stream), 20)
            while isinstance(item, Event) and item.seq is None:
                item = await asyncio.wait_for(anext(stream), 20)
            assert isinstance(item, Discontinuity)
            assert (item.channel_id, item.reason) == (channel_id, "not_found")
            await ada.send(f"{channel_id}-2", "the other goes on")
            assert contents(await take(stream, 1)) == ["the other goes on"]

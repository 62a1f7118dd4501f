"""Faults that a real hub shows too rarely, and the causes of connections that fail."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
from pathlib import Path

import pytest
from hub_process import HubProcess, StartHub, free_port
from scripted_hub import Session, envelope, scripted_hub

from openclaw_client import Discontinuity, Event, EventStream, Hub, HubError, Options, connect
from openclaw_client.deadline import within
from openclaw_client.objects import Welcome

QUICK = Options(backoff_min_ms=10, backoff_max_ms=50, ready_timeout_ms=5_000)


async def take(stream: EventStream, count: int) -> list[str | Discontinuity]:
    items: list[str | Discontinuity] = []
    for _ in range(count):
        item = await asyncio.wait_for(anext(stream), 10)
        if isinstance(item, Event):
            assert item.message is not None
            items.append(item.message["content"])
        else:
            items.append(item)
    return items


def subscribed(head: int, **more: object) -> dict[str, object]:
    topic = {"channelId": "c", "head": head, "resumed": False, "events": []}
    return {"topics": [{**topic, "presencePushed": True, **more}]}


async def test_events_out_of_turn_are_put_in_order_and_holes_are_read_from_the_log() -> None:
    async def play(session: Session) -> None:
        await session.welcome()
        await session.answer(await session.receive("subscribe"), subscribed(1))
        # 3 is missing, 4 comes twice, and 2 comes again.
        for seq in (2, 4, 4, 2, 5):
            await session.event(seq, str(seq))
        call = await session.receive("log.read")
        assert call["params"]["after"] == 2
        page = {"events": [envelope(3, "3")], "head": 5, "floor": 1, "hasMore": True}
        await session.answer(call, page)
        await session.event(6, "6")
        await session.socket.wait_closed()

    async with (
        scripted_hub(play) as url,
        connect(url, agent="ada", options=QUICK) as hub,
        hub.events(["c"]) as stream,
    ):
        assert await take(stream, 5) == ["2", "3", "4", "5", "6"]


async def test_trimmed_events_are_a_discontinuity_and_the_rest_follows() -> None:
    async def play(session: Session) -> None:
        await session.welcome()
        call = await session.receive("subscribe")
        assert call["params"] == {"topics": [{"channelId": "c", "since": 2}], "epoch": "e1"}
        await session.answer(call, subscribed(6, floor=5))
        call = await session.receive("log.read")
        assert call["params"]["after"] == 4
        events = [envelope(5, "5"), envelope(6, "6")]
        await session.answer(call, {"events": events, "head": 6, "floor": 5, "hasMore": False})
        await session.notify("discontinuity", {"channelId": "c", "head": 9, "reason": "epoch"})
        await session.event(10, "10", epoch="e2")
        await session.socket.wait_closed()

    async with (
        scripted_hub(play) as url,
        connect(url, agent="ada", options=QUICK) as hub,
        hub.events({"c": 2}, epoch="e1") as stream,
    ):
        assert await take(stream, 5) == [
            Discontinuity("c", 4, "trimmed"),
            "5",
            "6",
            Discontinuity("c", 9, "epoch"),
            "10",
        ]


async def test_a_live_trimmed_discontinuity_subscribes_again_after_the_trimmed_events() -> None:
    async def play(session: Session) -> None:
        await session.welcome()
        await session.answer(await session.receive("subscribe"), subscribed(2))
        trimmed = {"channelId": "c", "head": 9, "reason": "trimmed"}
        # This client has every event below the floor, so it misses no event.
        await session.notify("discontinuity", {**trimmed, "floor": 3})
        await session.event(3, "3")
        await session.notify("discontinuity", {**trimmed, "floor": 8})
        call = await session.receive("subscribe")
        assert call["params"] == {"topics": [{"channelId": "c", "since": 7}], "epoch": "e1"}
        # This event arrives while the subscribe is unanswered, and the answer contains it too.
        await session.event(9, "9")
        await session.answer(
            call, subscribed(9, resumed=True, events=[envelope(8, "8"), envelope(9, "9")])
        )
        await session.event(10, "10")
        # Without a floor, everything up to the head was trimmed.
        await session.notify("discontinuity", {"channelId": "c", "head": 12, "reason": "trimmed"})
        call = await session.receive("subscribe")
        assert call["params"]["topics"] == [{"channelId": "c", "since": 12}]
        await session.answer(call, subscribed(12, resumed=True))
        await session.event(13, "13")
        await session.socket.wait_closed()

    async with (
        scripted_hub(play) as url,
        connect(url, agent="ada", options=QUICK) as hub,
        hub.events(["c"]) as stream,
    ):
        assert await take(stream, 7) == [
            "3",
            Discontinuity("c", 7, "trimmed"),
            "8",
            "9",
            "10",
            Discontinuity("c", 12, "trimmed"),
            "13",
        ]


async def test_an_agent_whose_removal_was_trimmed_is_refused_the_channel() -> None:
    async def play(session: Session) -> None:
        await session.welcome()
        await session.answer(await session.receive("subscribe"), subscribed(2))
        trimmed = {"channelId": "c", "head": 9, "reason": "trimmed", "floor": 8}
        await session.notify("discontinuity", trimmed)
        call = await session.receive("subscribe")
        refused = {"channelId": "c", "error": {"code": "forbidden"}}
        await session.answer(call, {"topics": [refused]})
        await session.socket.wait_closed()

    async with (
        scripted_hub(play) as url,
        connect(url, agent="ada", options=QUICK) as hub,
        hub.events(["c"]) as stream,
    ):
        assert await take(stream, 1) == [Discontinuity("c", 7, "trimmed")]
        with pytest.raises(HubError) as refusal:
            await take(stream, 1)
        assert refusal.value.code == "forbidden"


async def test_a_discontinuity_with_an_error_ends_its_channel_alone() -> None:
    async def play(session: Session) -> None:
        await session.welcome()
        call = await session.receive("subscribe")
        topics = [
            {**topic, "head": 2, "resumed": False, "events": [], "presencePushed": True}
            for topic in call["params"]["topics"]
        ]
        await session.answer(call, {"topics": topics})
        ended = {"channelId": "c", "head": 5, "reason": "behind", "error": {"code": "forbidden"}}
        await session.notify("discontinuity", ended)
        # The client ignores events that the hub sends after it has ended the subscription.
        await session.event(6, "not any more")
        await session.notify("event", envelope(3, "goes on", channel_id="d"))
        await session.socket.wait_closed()

    async with (
        scripted_hub(play) as url,
        connect(url, agent="ada", options=QUICK) as hub,
        hub.events(["c", "d"]) as stream,
    ):
        assert await take(stream, 2) == [Discontinuity("c", 2, "forbidden"), "goes on"]


async def test_another_epoch_is_a_discontinuity_though_the_seqs_would_fit() -> None:
    sessions = 0

    async def play(session: Session) -> None:
        nonlocal sessions
        sessions += 1
        await session.welcome(epoch=f"e{sessions}")
        call = await session.receive("subscribe")
        if sessions == 1:
            await session.answer(call, subscribed(3))
            await session.event(4, "4")
            return
        assert call["params"] == {"topics": [{"channelId": "c", "since": 4}], "epoch": "e1"}
        await session.answer(call, subscribed(8))
        await session.event(9, "9", epoch="e2")
        await session.socket.wait_closed()

    async with (
        scripted_hub(play) as url,
        connect(url, agent="ada", options=QUICK) as hub,
        hub.events(["c"]) as stream,
    ):
        assert await take(stream, 3) == ["4", Discontinuity("c", 8, "epoch"), "9"]


async def test_a_send_without_an_answer_is_repeated_with_the_same_id() -> None:
    seen: list[str] = []

    async def play(session: Session) -> None:
        await session.welcome()
        call = await session.receive("message.send")
        seen.append(call["params"]["clientMessageId"])
        if len(seen) == 1:
            return
        sent = {"messageId": "m1", "seq": 1, "timestamp": 1, "duplicate": True}
        await session.answer(call, sent)
        await session.socket.wait_closed()

    async with scripted_hub(play) as url, connect(url, agent="ada", options=QUICK) as hub:
        assert (await hub.send("c", "hello"))["duplicate"] is True
    assert len(seen) == 2 and seen[0] == seen[1]


@pytest.mark.parametrize("silent", [True, False])
async def test_a_silent_hub_is_replaced_and_one_that_answers_pings_is_kept(silent: bool) -> None:
    sessions = 0

    async def play(session: Session) -> None:
        nonlocal sessions
        sessions += 1
        await session.welcome(heartbeatMs=100)
        if silent and sessions == 1:
            session.socket.transport.pause_reading()
        await session.socket.wait_closed()

    async with scripted_hub(play) as url, connect(url, agent="ada", options=QUICK) as hub:
        if silent:
            while sessions < 2:
                await asyncio.sleep(0.01)
            assert hub.last_error is not None
            assert hub.last_error.message == "the hub was silent for 0.2 s"
        else:
            # No condition shows that nothing happened, so the test waits for six heartbeats.
            await asyncio.sleep(0.6)
            assert sessions == 1 and hub.is_live


@pytest.mark.parametrize("frame", ["{", "7", "[]", '{"method":"event","params":{}}'])
async def test_a_malformed_frame_replaces_the_connection(frame: str) -> None:
    sessions = 0

    async def play(session: Session) -> None:
        nonlocal sessions
        sessions += 1
        await session.welcome()
        if sessions == 1:
            await session.socket.send(frame)
        else:
            await session.answer(await session.receive("read.state"), {"channels": []})
        await session.socket.wait_closed()

    async with scripted_hub(play) as url, connect(url, agent="ada", options=QUICK) as hub:
        assert await hub.read_state() == {}
        assert sessions == 2


async def test_the_hub_names_the_time_of_the_reconnect() -> None:
    times: list[float] = []
    loop = asyncio.get_running_loop()

    async def play(session: Session) -> None:
        times.append(loop.time())
        await session.welcome()
        if len(times) == 1:
            await session.socket.close(4503, json.dumps({"afterMs": 400}))
        elif len(times) == 2:
            await session.notify("reconnect", {"afterMs": 300, "reason": "drain"})
        await session.socket.wait_closed()

    async with scripted_hub(play) as url, connect(url, agent="ada", options=QUICK):
        while len(times) < 3:
            await asyncio.sleep(0.01)
    assert times[1] - times[0] >= 0.4
    assert times[2] - times[1] >= 0.3


@pytest.mark.parametrize("code", [4400, 4401, 4403])
async def test_a_refused_client_closes_for_good(code: int) -> None:
    sessions = 0

    async def play(session: Session) -> None:
        nonlocal sessions
        sessions += 1
        await session.welcome()
        await session.receive("subscribe")
        await session.socket.close(code)

    async with scripted_hub(play) as url, connect(url, token="a.b.c", options=QUICK) as hub:
        stream = hub.events(["c"])
        with pytest.raises(HubError) as ended:
            await anext(stream)
        assert str(code) in ended.value.message
        with pytest.raises(HubError) as call:
            await hub.call("ping")
        assert call.value.code == ("invalid" if code == 4400 else "unauthorized")
    assert sessions == 1


async def test_a_token_is_renewed_once_after_it_expired() -> None:
    tokens: list[str] = []

    async def get_token() -> str:
        tokens.append(f"token.{len(tokens)}")
        return tokens[-1]

    async def play(session: Session) -> None:
        assert f"bearer.{tokens[-1]}" in session.protocols
        assert "token" not in session.path
        if tokens[-1] != "token.1":
            await session.welcome()
            await session.socket.close(4401)
            return
        await session.welcome()
        await session.answer(await session.receive("read.state"), {"channels": []})
        await session.socket.close(4401)

    async with scripted_hub(play) as url, connect(url, get_token=get_token, options=QUICK) as hub:
        assert await hub.read_state() == {}
        with pytest.raises(HubError) as refused:
            await hub.call("read.state")
        assert refused.value.code == "unauthorized"
    assert tokens == ["token.0", "token.1"]


async def test_a_client_that_closes_at_its_welcome_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_welcome = Hub.on_welcome
    ended: list[asyncio.Task[None]] = []

    def close_at_once(self: Hub, welcome: Welcome) -> None:
        on_welcome(self, welcome)
        # The cancellation comes together with the welcome.
        ended.append(asyncio.create_task(self._connection.close()))
        self._connection._task.cancel()

    monkeypatch.setattr(Hub, "on_welcome", close_at_once)

    async def play(session: Session) -> None:
        await session.welcome()
        await session.socket.wait_closed()

    async with scripted_hub(play) as url, connect(url, agent="ada", options=QUICK):
        await asyncio.wait_for(ended[0], 5)


async def test_a_bounded_wait_keeps_a_cancellation_that_comes_with_the_result() -> None:
    result: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(5, result))
    await asyncio.sleep(0)
    result.add_done_callback(lambda _: waiting.cancel())
    result.set_result(1)
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_bounded_wait_ends_the_work_that_is_late() -> None:
    late: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    with pytest.raises(asyncio.TimeoutError):
        await within(0.01, late)
    assert late.cancelled()


async def test_a_get_token_that_hangs_or_fails_is_tried_again() -> None:
    calls = 0

    async def get_token() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()
        if calls == 2:
            raise RuntimeError("no keys today")
        return "a.b.c"

    async def play(session: Session) -> None:
        await session.welcome()
        await session.socket.wait_closed()

    options = Options(backoff_min_ms=10, backoff_max_ms=50, token_timeout_ms=100)
    async with scripted_hub(play) as url, connect(url, get_token=get_token, options=options) as hub:
        assert calls == 3
        assert hub.last_error is not None
        assert hub.last_error.message == "get_token failed: no keys today"


async def fails(url: str, options: Options, token: str | None = None) -> HubError:
    with pytest.raises(HubError) as failed:
        async with connect(url, agent=None if token else "ada", token=token, options=options):
            pass
    return failed.value


async def test_a_failed_connection_says_why(shared_hub: HubProcess, tmp_path: Path) -> None:
    brief = Options(backoff_min_ms=10, backoff_max_ms=50, ready_timeout_ms=1_500)
    closed = free_port()
    error = await fails(f"ws://127.0.0.1:{closed}", brief)
    assert error.code == "unreachable"
    assert error.message == f"127.0.0.1:{closed} refused the connection: is the hub running?"
    assert isinstance(error.__cause__, ConnectionRefusedError)
    error = await fails("ws://no-such-host.invalid", brief)
    assert error.message == 'no such host name "no-such-host.invalid"'
    error = await fails(f"{shared_hub.url}/no/such/path", brief)
    assert "HTTP 404" in error.message and error.is_permanent
    error = await fails(shared_hub.url.replace("ws:", "wss:"), brief)
    assert "does it speak TLS?" in error.message

    silent = await asyncio.start_server(lambda _, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    error = await fails(
        f"ws://127.0.0.1:{port}",
        Options(connect_timeout_ms=200, ready_timeout_ms=300, backoff_min_ms=10),
    )
    assert error.message == f"127.0.0.1:{port} did not answer in time"
    silent.close()

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-days", "1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    error = await fails(f"wss://127.0.0.1:{port}", brief)
    assert "is not trusted: self-signed certificate" in error.message.replace("self signed", "self-signed")
    server.close()


async def test_a_wrong_token_says_so_at_once(start_hub: StartHub) -> None:
    process = await start_hub({"HUB_AUTH": "jwt", "HUB_JWT_SECRET": "s" * 32})
    error = await fails(process.url, QUICK, token="wrong.wrong.wrong")
    assert error.code == "unauthorized"
    assert "wrong.wrong" not in str(error)
    error = await fails(process.url, QUICK, token="not a token")
    assert (error.code, error.message) == ("unauthorized", "the token is not a JWT")


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://host", "ws://", "ws://host:port"])
def test_a_malformed_address_is_refused(url: str) -> None:
    with pytest.raises(HubError) as refused:
        connect(url, agent="ada")
    assert refused.value.code == "invalid"


def test_exactly_one_identity_is_taken() -> None:
    for agent, token in ((None, None), ("ada", "a.b.c")):
        with pytest.raises(HubError) as refused:
            connect("ws://127.0.0.1:8080", agent=agent, token=token)
        assert refused.value.code == "invalid"
    with pytest.raises(HubError):
        Options(queue_max=0)


async def test_an_inbox_says_what_fell_out_of_it() -> None:
    nothing: dict[str, object] = {"count": 0, "channels": [], "after": None}
    fallen = {"count": 3, "channels": [{"channelId": "c", "count": 3}], "after": "start"}

    async def play(session: Session) -> None:
        await session.welcome()
        for cursor, omitted in (("4", fallen), ("5", nothing)):
            page = {"items": [{"cursor": cursor}], "omitted": omitted, "cursor": cursor}
            await session.answer(await session.receive("inbox.read"), page)
        await session.socket.wait_closed()

    async with scripted_hub(play) as url, connect(url, agent="ada", options=QUICK) as hub:
        inbox = hub.inbox()
        assert inbox.omitted == nothing
        assert (await asyncio.wait_for(anext(inbox), 10))["cursor"] == "4"
        assert inbox.omitted == fallen
        assert (await asyncio.wait_for(anext(inbox), 10))["cursor"] == "5"
        assert inbox.omitted == nothing

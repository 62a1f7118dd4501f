from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub_process import HubProcess, StartHub


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HubProcess]:
    """One hub, shared by the tests that do not disturb it."""
    hub = HubProcess(tmp_path_factory.mktemp("hub"))
    await hub.start()
    yield hub
    await hub.stop()


@pytest_asyncio.fixture
async def start_hub(tmp_path: Path) -> AsyncIterator[StartHub]:
    """Its hubs are stopped at the end of the test."""
    hubs: list[HubProcess] = []

    async def start(env: dict[str, str] | None = None) -> HubProcess:
        folder = tmp_path / f"hub-{len(hubs)}"
        folder.mkdir()
        hub = HubProcess(folder, env)
        hubs.append(hub)
        await hub.start()
        return hub

    yield start
    for hub in hubs:
        await hub.stop()


@pytest.fixture
def channel_id() -> str:
    return f"c-{secrets.token_hex(6)}"

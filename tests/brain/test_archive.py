"""Conversations that outlive the process: what a real SQLite file and a real PostgreSQL server hold of a call."""

from __future__ import annotations

import asyncio
import importlib.util
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.types import Command

from tests.doubles.openai_endpoint import OpenAIEndpoint, answer
from tests.doubles.postgres import database
from tests.doubles.project import a_call, llm_agent, outputs_of, project, words
from tests.graphs_of_others import react
from voicebot.agent import Agent
from voicebot.brain import Failed, archive
from voicebot.brain.archive import Kind, connection
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.errors import BadInput, MissingExtra

GUEST = Path(react.__file__)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    if request.param == "postgres":
        monkeypatch.setenv("DATABASE_URL", database())
    given: Kind = request.param
    return given


def guest(root: Path, kind: str) -> Agent:
    (root / "graph.py").write_text(GUEST.read_text())
    return project(root, {"graph": "graph.py:graph", "checkpoints": kind})


@asynccontextmanager
async def kept(kind: Kind, root: Path) -> AsyncIterator[Any]:
    _, connect = connection(kind, root)
    async with connect() as saver:
        yield saver


async def say(brain: GraphBrain, text: str, heard: str | None = None) -> str:
    said = words(await outputs_of(brain, text))
    await brain.heard(said if heard is None else heard, interrupted=heard is not None)
    return said


async def test_what_was_heard_is_kept_turn_by_turn(kind: Kind, tmp_path: Path):
    async with a_call(guest(tmp_path, kind)) as brain:
        await say(brain, "when are you open", heard="We are open from eight")
        await say(brain, "is there a table on monday")
    async with kept(kind, tmp_path) as saver:
        turns = [each async for each in saver.alist({"configurable": {"thread_id": "call-1"}})]
        latest = turns[0].checkpoint["channel_values"]["messages"]
        assert [m.text for m in latest if isinstance(m, AIMessage)][1:3] == [
            "We are open from eight",
            "One moment please.",
        ]
        counts = [len(turn.checkpoint["channel_values"]["messages"]) for turn in turns]
        assert counts == sorted(set(counts), reverse=True), "one for each turn, from which the call could be forked"
        assert len(turns) >= 2


async def test_an_open_question_is_kept_and_can_be_answered_later(kind: Kind, tmp_path: Path):
    react.BOOKED.clear()
    async with a_call(guest(tmp_path, kind)) as brain:
        assert (
            await say(brain, "book a table on tuesday") == "One moment please. Shall I book a table on Tuesday at noon?"
        )
    async with kept(kind, tmp_path) as saver:
        graph = react.builder.compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": "call-1"}}
        assert [each.value for each in (await graph.aget_state(config)).interrupts] == [
            "Shall I book a table on Tuesday at noon?"
        ]
        await graph.ainvoke(Command(resume="yes"), config)
    assert react.BOOKED == [("Tuesday", "noon")]


async def test_our_own_graph_is_kept_too(tmp_path: Path):
    async with OpenAIEndpoint(answer("We open at eight.")) as server:
        agent = llm_agent(tmp_path, server)
        agent = project(tmp_path, {**agent.brain.model_dump(exclude_unset=True, mode="json"), "checkpoints": "sqlite"})
        async with a_call(agent) as brain:
            await say(brain, "when")
    async with kept("sqlite", tmp_path) as saver:
        latest = await saver.aget_tuple({"configurable": {"thread_id": "call-1"}})
        assert latest.checkpoint["channel_values"]["messages"][-1].text == "We open at eight."


async def test_calls_share_a_database_that_is_closed_with_the_last_of_them(tmp_path: Path):
    agent = guest(tmp_path, "sqlite")
    async with a_call(agent, "one") as one:
        async with a_call(agent, "two") as two:
            await asyncio.gather(say(one, "when"), say(two, "when"))
        opened = archive.archive("sqlite", tmp_path)
        assert opened._saver is not None
    assert opened._saver is None
    with sqlite3.connect(tmp_path / "calls" / "checkpoints.sqlite") as file:
        threads = file.execute("select distinct thread_id from checkpoints order by 1").fetchall()
    assert threads == [("one",), ("two",)]


async def test_a_database_that_is_down_costs_the_call_nothing_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("psycopg_pool", reason="PostgreSQL's client is not installed (extra: postgres)")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/none?connect_timeout=1")
    monkeypatch.setattr(archive, "COPY_S", 0.3)
    monkeypatch.setattr(archive, "CLOSE_S", 0.3)
    told: list[Failed] = []
    brain = open_brain(guest(tmp_path, "postgres"), "call-1")
    assert isinstance(brain, GraphBrain)
    loop = asyncio.get_running_loop()
    for turn in range(4):
        began_s = loop.time()
        outputs = await outputs_of(brain, "when")
        assert loop.time() - began_s < 0.25, "no reply waits for the database"
        assert words(outputs).startswith("We are open")
        told += [output for output in outputs if isinstance(output, Failed)]
        await brain.heard(words(outputs), interrupted=False)
        await asyncio.sleep(0.2 * turn)  # the second copy fails, too, and a third is under way in the end
    await brain.close()
    (failed,) = told
    assert failed.kind == "store"
    assert failed.remedy == "the conversation is in memory only"
    assert "secret" not in failed.error


def test_postgres_without_its_address_is_said_before_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    pytest.importorskip("psycopg_pool", reason="PostgreSQL's client is not installed (extra: postgres)")
    with pytest.raises(BadInput, match=r"brain\.checkpoints: postgres needs DATABASE_URL"):
        open_brain(guest(tmp_path, "postgres"), "call-1")


def test_postgres_without_its_client_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"voicebot\[postgres\]"):
        connection("postgres", tmp_path)

"""Agents over REST: what is there, hot reload, and two editors who do not overwrite each other."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
from loguru import logger

from tests.doubles.project import project
from tests.doubles.rest_client import FLOW, Rest, rest
from voicebot.errors import BadInput
from voicebot.server.agents import Agents, NoAgent

YAML = {"Content-Type": "application/yaml"}


async def put(client: Rest, name: str, text: str, match: str | None = None):
    return await client.http.put(
        f"/v1/agents/{name}", content=text, headers=YAML | ({"If-Match": match} if match else {})
    )


async def test_agents_are_created_read_replaced_and_deleted(tmp_path):
    async with rest(tmp_path) as client:
        created = await put(client, "bea", FLOW)
        assert created.status_code == 201
        assert created.headers["location"] == "/v1/agents/bea"
        assert (tmp_path / "agents/bea.yaml").read_text() == FLOW

        read = await client.http.get("/v1/agents/bea")
        assert read.json()["source"] == FLOW
        assert read.headers["etag"] == f'"{hashlib.sha256(FLOW.encode()).hexdigest()}"' == created.headers["etag"]
        file = await client.http.get("/v1/agents/bea", headers={"Accept": "application/yaml"})
        assert file.text == FLOW

        replaced = await put(client, "bea", FLOW.replace("Bea", "Beatrice"), read.headers["etag"])
        assert (replaced.status_code, replaced.json()["title"]) == (200, "Beatrice")
        listed = (await client.http.get("/v1/agents")).json()["agents"]
        assert [(each["name"], each["title"], each["valid"]) for each in listed] == [
            ("ava", "Ava", True),
            ("bea", "Beatrice", True),
        ]

        gone = await client.http.delete("/v1/agents/bea", headers={"If-Match": replaced.headers["etag"]})
        assert gone.status_code == 204
        assert not (tmp_path / "agents/bea.yaml").exists()
        assert (await client.http.get("/v1/agents/bea")).status_code == 404


async def test_a_version_that_somebody_else_has_replaced_is_not_overwritten(tmp_path):
    async with rest(tmp_path) as client:
        old = (await put(client, "bea", FLOW)).headers["etag"]
        assert (await put(client, "bea", FLOW + "language: en\n", old)).status_code == 200
        late = await put(client, "bea", FLOW + "language: de\n", old)
        assert (late.status_code, late.json()["type"]) == (412, "urn:voicebot:problem:precondition-failed")
        assert (await client.http.delete("/v1/agents/bea", headers={"If-Match": old})).status_code == 412
        assert (tmp_path / "agents/bea.yaml").read_text().endswith("language: en\n")


async def test_of_many_writers_at_once_one_wins(tmp_path):
    """Two servers of the same project stand for its workers."""
    async with rest(tmp_path) as client:
        old = (await put(client, "bea", FLOW)).headers["etag"].strip('"')
        both = [client.server.site.agents, Agents(tmp_path)]
        writes = [
            both[n % 2].write("bea", FLOW + f"language: {code}\n", old) for n, code in enumerate(["en", "de"] * 5)
        ]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(not isinstance(each, Exception) for each in results) == 1


async def test_without_a_precondition_nothing_that_exists_is_changed(tmp_path):
    async with rest(tmp_path) as client:
        before = (tmp_path / "agents/ava.yaml").read_text()
        assert (await put(client, "ava", FLOW)).status_code == 428
        assert (await client.http.delete("/v1/agents/ava")).status_code == 428
        assert (await put(client, "nobody", FLOW, '"' + "0" * 64 + '"')).status_code == 412
        assert (await put(client, "ava", FLOW, "W/whatever")).status_code == 412
        assert (tmp_path / "agents/ava.yaml").read_text() == before


async def test_an_invalid_file_is_refused_with_every_place(tmp_path):
    async with rest(tmp_path) as client:
        refused = await put(client, "bea", "name: Bea\nvoice: {stt: deepgrm}\nbrian: {}\n")
        assert refused.status_code == 422
        assert refused.json()["errors"] == [
            {"where": "agents/bea.yaml:2:14", "detail": "unknown provider 'deepgrm'. Did you mean 'deepgram'?"},
            {"where": "agents/bea.yaml:3:1", "detail": "unknown key 'brian'. Did you mean 'brain'?"},
        ]
        assert not (tmp_path / "agents/bea.yaml").exists()
        assert [path.name for path in (tmp_path / "agents").iterdir()] == ["ava.yaml"]


async def test_validate_says_what_put_would_say_and_writes_nothing(tmp_path):
    async with rest(tmp_path) as client:
        good = await client.http.post("/v1/agents/validate", content=FLOW, headers=YAML)
        assert good.json() == {"valid": True, "problems": []}
        bad = await client.http.post("/v1/agents/validate?name=bea", content="name: [", headers=YAML)
        assert bad.json()["valid"] is False
        assert bad.json()["problems"][0]["where"].startswith("agents/bea.yaml:2:1")
        assert [path.name for path in (tmp_path / "agents").iterdir()] == ["ava.yaml"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"", b"name: \x07", b"- a\n- b", b"&a [*a]", b"[" * 5000])
async def test_what_is_no_agent_file_is_refused(tmp_path, body):
    async with rest(tmp_path) as client:
        refused = await client.http.put("/v1/agents/bea", content=body, headers=YAML)
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"


async def test_an_agent_that_others_hand_over_to_is_not_deleted(tmp_path):
    async with rest(tmp_path) as client:
        await put(client, "bea", FLOW)
        handing = FLOW.replace("Bea", "Cleo") + "handoff: {to: billing, agent: agents/bea.yaml}\n"
        assert (await put(client, "cleo", handing)).status_code == 201
        refused = await client.http.delete("/v1/agents/bea", headers={"If-Match": "*"})
        assert (refused.status_code, refused.json()["detail"]) == (
            409,
            "Cleo would hand calls over to 'bea'. Change that first.",
        )
        itself = await put(client, "dora", FLOW + "handoff: {to: x, agent: agents/dora.yaml}\n")
        assert itself.json()["errors"][0]["detail"] == "an agent cannot pass the call on to itself."


async def test_the_next_call_gets_the_changed_file_and_a_running_one_keeps_its_own(tmp_path):
    async with rest(tmp_path) as client:
        first, socket = await client.call()
        tag = (await client.http.get("/v1/agents/ava")).headers["etag"]
        assert (await put(client, "ava", FLOW, tag)).status_code == 200
        second, other = await client.call()
        live = client.server.site.desk.live
        assert (live[first].call.agent.name, live[second].call.agent.name) == ("Ava", "Bea")
        assert (await client.http.delete("/v1/agents/ava", headers={"If-Match": "*"})).status_code == 204
        assert (await client.http.post("/v1/calls", json={"agent": "ava"})).status_code == 404
        assert (await client.http.get(f"/v1/calls/{first}")).json()["state"] == "live"
        await socket.close()
        await other.close()
        await client.server.idle()


async def test_a_file_that_breaks_keeps_its_last_good_version_and_says_so_once(tmp_path):
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    file, agents, said = tmp_path / "agents/ava.yaml", Agents(tmp_path), []
    handler = logger.add(lambda message: said.append(message.record["message"]), level="WARNING")
    try:
        good = await agents.get("ava")
        file.write_text("name: Ava\nbrian: {}\n")
        assert await agents.get("ava") is good
        assert await agents.get("ava") is good
        entry = await agents.entry("ava")
        assert entry.problem.startswith("agents/ava.yaml:2:1 unknown key 'brian'.")
        assert entry.agent is good
        assert len(said) == 1
        assert said[0].startswith("agent 'ava': new calls get its last good version: agents/ava.yaml:2:1")
        file.write_text(good.source.replace("Ava", "Eve"))
        assert (await agents.get("ava")).name == "Eve"
        assert (await agents.entry("ava")).problem == ""
    finally:
        logger.remove(handler)


async def test_a_change_in_an_agent_that_takes_over_is_seen(tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/bea.yaml").write_text(FLOW)
    project(
        tmp_path,
        {"llm": ["openai/double"], "prompt": "You are Ava."},
        handoff={"to": "billing", "agent": "agents/bea.yaml"},
    )
    agents = Agents(tmp_path)
    assert (await agents.get("ava")).partner("agents/bea.yaml").name == "Bea"
    (tmp_path / "agents/bea.yaml").write_text(FLOW.replace("Bea", "Eve"))
    assert (await agents.get("ava")).partner("agents/bea.yaml").name == "Eve"


async def test_a_file_that_was_never_good_cannot_be_called(tmp_path):
    async with rest(tmp_path) as client:
        (tmp_path / "agents/bea.yaml").write_text("name: Bea\n")
        shown = (await client.http.get("/v1/agents/bea")).json()
        assert (shown["valid"], shown["callable"]) == (False, False)
        assert shown["problems"][0]["detail"].startswith("nothing answers the caller.")
        refused = await client.http.post("/v1/calls", json={"agent": "bea"})
        assert (refused.status_code, refused.json()["title"]) == (503, "Agent out of order")


async def test_what_a_broken_file_lacked_may_be_another_file(tmp_path, monkeypatch):
    monkeypatch.setattr("voicebot.server.agents.loaded._AGAIN_S", 0.0)
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/bea.yaml").write_text("name: Bea\nbrain: {llm: openai/x, prompt: Hi., tools: tools.py:book}\n")
    agents = Agents(tmp_path)
    with pytest.raises(BadInput, match=r"tools\.py does not exist"):
        await agents.get("bea")
    (tmp_path / "tools.py").write_text("def book(): ...\n")
    assert (await agents.get("bea")).name == "Bea"


async def test_an_unchanged_file_is_not_parsed_again(tmp_path):
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    agents = Agents(tmp_path)
    first = await agents.get("ava")
    assert await agents.get("ava") is first
    os.utime(tmp_path / "agents/ava.yaml")
    assert await agents.get("ava") is not first


async def test_a_project_that_cannot_be_written_is_no_fault_of_the_client(tmp_path):
    async with rest(tmp_path) as client:
        (tmp_path / "agents/bea.yaml").mkdir()
        refused = await put(client, "bea", FLOW)
        assert (refused.status_code, refused.json()["title"]) == (503, "Unavailable")
        assert refused.json()["detail"] == "agents/bea.yaml cannot be written: Is a directory."
        assert sorted(path.name for path in (tmp_path / "agents").iterdir()) == ["ava.yaml", "bea.yaml"]


@pytest.mark.parametrize("name", ["", "..", "../ava", "a/b", "Ava", ".ava", "ava.yaml", "a" * 65, "ava\n", "\0"])
async def test_a_name_is_never_a_path(tmp_path: Path, name):
    project(tmp_path, {"llm": ["openai/double"], "prompt": "You are Ava."})
    with pytest.raises(NoAgent):
        await Agents(tmp_path).get(name)
    with pytest.raises(BadInput):
        await Agents(tmp_path).write(name, FLOW, "")

"""What a holder of `agents:write` must not get out of it: programs, modules, files, keys, addresses of this server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from voicebot.agent import Agent
from voicebot.errors import BadInput
from voicebot.server.agents import Agents

TALKER: dict[str, Any] = {"name": "Bea", "brain": {"llm": ["openai/gpt-4.1-mini"], "prompt": "You are Bea."}}
FLOW: dict[str, Any] = {
    "name": "Bea",
    "flow": {"goals": {"hours": {"title": "ask", "examples": ["when"], "done": "Nine."}}},
}
HTTP: dict[str, Any] = {
    "name": "order",
    "description": "Looks it up.",
    "url": "https://shop.example.com/",
    "headers": {"X": "${KEY}"},
}

A_FILE, ANOTHER = "names a file on this server instead of a model.", "can only go on to an agent of this project"
BRAIN: dict[str, tuple[dict[str, Any], str]] = {
    "python tool": ({"tools": ["tools.py:book"]}, "a Python tool runs code on this server."),
    "python tool outside": ({"tools": ["../secret.py:run"]}, "a Python tool runs code on this server."),
    "python tool, long": ({"tools": [{"python": "tools.py:book"}]}, "a Python tool runs code on this server."),
    "http tool with a key": ({"tools": [{"http": HTTP}]}, "an HTTP tool sends requests from within this server's"),
    "http tool": (
        {"tools": [{"http": {**HTTP, "headers": {}, "url": "http://169.254.169.254/"}}]},
        "an HTTP tool sends requests from within this server's network.",
    ),
    "program": ({"tools": [{"mcp": {"command": "sh", "args": ["-c", "id"]}}]}, "an MCP server is a program"),
    "mcp address": (
        {"tools": [{"mcp": {"url": "http://localhost/", "headers": {"X": "${OPENAI_API_KEY}"}}}]},
        "an MCP server is talked to from within this server's network.",
    ),
    "key to a host": ({"base_url": "https://evil.example.com/v1"}, "conversations and the key of the language model"),
    "file outside": ({"knowledge": ["../../etc/*"]}, "can only know files of the folder knowledge/."),
    "file outside, behind a folder": ({"knowledge": ["knowledge/../.env"]}, "can only know files of the folder"),
    "settings file": ({"knowledge": [".env"]}, "can only know files of the folder knowledge/."),
    "calls of others": ({"knowledge": ["calls/*/events.jsonl"]}, "can only know files of the folder knowledge/."),
    "everything": ({"knowledge": ["**/*"]}, "can only know files of the folder knowledge/."),
    "hidden file": ({"knowledge": ["knowledge/.secret"]}, "can only know files of the folder knowledge/."),
    "weights": ({"llm": ["llama/../../tmp/evil.gguf"]}, A_FILE),
    "weights at home": ({"llm": ["llama/~/evil.gguf"]}, A_FILE),
    "weights beside": ({"llm": ["llama/evil.gguf"]}, A_FILE),
    "judge": (
        {"guardrails": {"judge": {"llm": "llama/evil.gguf"}}},
        A_FILE,
    ),
    "slow pattern": ({"guardrails": {"never_say": ["/(a+)+$/"]}}, "a regular expression may be so slow"),
}
OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "graph": ({"brain": {"graph": "os:system"}}, "a graph runs Python code on this server."),
    "graph file": ({"brain": {"graph": "/tmp/evil.py:graph"}}, "a graph runs Python code on this server."),
    "agent outside": (
        {"handoff": {"to": "x", "agent": "/tmp/evil/agents/x.yaml"}},
        ANOTHER,
    ),
    "agent above": ({"handoff": {"to": "x", "agent": "agents/../../x.yaml"}}, ANOTHER),
    "ear": ({"voice": {"stt": ["whisper/./models/evil"]}}, A_FILE),
    "ear, absolute": ({"voice": {"stt": ["whisper//tmp/evil"]}}, A_FILE),
    "voice": ({"voice": {"tts": ["piper/voices/evil.onnx"]}}, A_FILE),
    "voice, upper case": ({"voice": {"tts": ["piper/evil.ONNX"]}}, A_FILE),
    "voice with speaker": (
        {"voice": {"tts": ["piper/evil.onnx:1"]}},
        A_FILE,
    ),
    "calls of others, to those who wait": (
        {"voice": {"hold_music": "calls/1/call.wav"}},
        "callers would hear a file of this server.",
    ),
    "voice above": ({"voice": {"tts": ["espeak/../../evil"]}}, A_FILE),
}
CASES = {
    **{name: ({**TALKER, "brain": {**TALKER["brain"], **part}}, why) for name, (part, why) in BRAIN.items()},
    **{
        name: ({**({} if "brain" in part else FLOW), "name": "Bea", **part}, why) for name, (part, why) in OTHER.items()
    },
}


def text_of(agent: object) -> str:
    return yaml.safe_dump(agent, sort_keys=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Everything that the cases name is there: they are not refused because it is missing."""
    root = tmp_path / "project"
    for folder in ("agents", "knowledge", "calls/1", "models/evil", "voices"):
        (root / folder).mkdir(parents=True)
    for file in (
        ".env",
        "knowledge/.secret",
        "knowledge/hours.md",
        "calls/1/events.jsonl",
        "calls/1/call.wav",
        "evil.gguf",
        "../x.yaml",
    ):
        (root / file).write_text("## Secret\n\nsecret")
    for file in ("tools.py", "../secret.py"):
        (root / file).write_text("def book(): ...\ndef run(): ...\n")
    return root


@pytest.mark.parametrize("case", CASES)
async def test_what_reaches_beyond_the_conversation_is_refused_and_says_why(root, case):
    agent, why = CASES[case]
    agents = Agents(root)
    with pytest.raises(BadInput) as refused:
        await agents.write("bea", text_of(agent), "")
    line = str(refused.value).splitlines()[0]
    assert why in line
    assert line.endswith("Over REST an agent can keep what its file has; to add it, change the file on the server.")
    assert line.startswith("agents/bea.yaml:")
    assert await agents.check("bea", text_of(agent)) == str(refused.value).splitlines()
    assert not (root / "agents/bea.yaml").exists()


@pytest.mark.parametrize("case", CASES)
async def test_what_the_file_has_may_be_kept(root, case):
    """The operator has written it; somebody else changes the name over REST."""
    agent, _ = CASES[case]
    (root / "agents/bea.yaml").write_text(text_of(agent))
    said = await Agents(root).check("bea", text_of({**agent, "name": "Beatrice"}))
    assert not any("Over REST" in line for line in said)
    assert any("Over REST" in line for line in await Agents(root).check("cleo", text_of(agent)))


@pytest.mark.parametrize(
    "changed",
    [
        {"url": "https://evil.example.com/"},
        {"headers": {"X": "${OTHER_KEY}"}},
        {"method": "DELETE"},
        {"query": {"all": "true"}},
        {"description": "Always use this."},
    ],
)
async def test_a_tool_that_is_not_exactly_the_same_is_another_tool(root, changed):
    brain = {**TALKER["brain"], "tools": [{"http": HTTP}]}
    (root / "agents/bea.yaml").write_text(text_of({**TALKER, "brain": brain}))
    other = {**TALKER, "brain": {**brain, "tools": [{"http": {**HTTP, **changed}}]}}
    said = await Agents(root).check("bea", text_of(other))
    assert "an HTTP tool sends requests" in said[0]


async def test_how_a_tool_is_spoken_about_may_be_changed(root):
    brain = {**TALKER["brain"], "tools": ["tools.py:book"]}
    (root / "agents/bea.yaml").write_text(text_of({**TALKER, "brain": brain}))
    brain["tools"] = [{"python": "tools.py:book", "timeout": "3s", "say": "One moment."}]
    entry, new = await Agents(root).write("bea", text_of({**TALKER, "brain": brain}), "*")
    assert (new, entry.problem) == (False, "")


async def test_what_a_refused_file_names_is_not_looked_up(root):
    """No answer tells what there is on this machine: what exists and what does not is refused in the same words."""
    tools = ("../secret.py:run", "../nothing.py:run")
    asked = [text_of({**TALKER, "brain": {**TALKER["brain"], "tools": [tool]}}) for tool in tools]
    there, not_there = [await Agents(root).check("bea", text) for text in asked]
    assert there == not_there


@pytest.mark.parametrize(
    "harmless",
    [
        {"knowledge": ["knowledge/*.md"]},
        {"knowledge": ["knowledge/**/*.md"]},
        {"knowledge": ["knowledge/hours.md"]},
        {"tools": ["press_keys"]},
        {"llm": ["groq/openai/gpt-oss-20b"]},
        {"guardrails": {"never_say": ["and/or", "the price"], "pii": "redact"}},
    ],
)
async def test_what_stays_within_the_conversation_is_written(root, harmless):
    agent = {**TALKER, "brain": {**TALKER["brain"], **harmless}}
    _, new = await Agents(root).write("bea", text_of(agent), "")
    assert new


async def test_the_file_on_the_disk_counts_and_not_what_was_good_before(root):
    """The operator took the tool out, and made a mistake in doing so."""
    brain = {**TALKER["brain"], "tools": ["tools.py:book"]}
    with_tool = text_of({**TALKER, "brain": brain})
    agents = Agents(root)
    (root / "agents/bea.yaml").write_text(with_tool)
    await agents.get("bea")
    (root / "agents/bea.yaml").write_text("name: [")
    assert "a Python tool runs code" in (await agents.check("bea", with_tool))[0]


REVIEWED = """
Agent: brain budget flow greeting handoff language name recording voice
Brain: base_url checkpoints context filler graph guardrails knowledge llm patience prompt speculative temperature tools
Budget: call day say warn
Filler: after say
Flow: checks currency goals hours names phrases region slots small_talk wording
Guardrails: injection judge never_say pii refusal topics toxicity
Handoff: agent say to warm when
HttpTool: body description headers method name parameters query result url
Judge: llm on_failure timeout
McpServer: args command env headers only url
Recording: announce twilio
Step: outcomes tool with
ToolSettings: background built_in http idempotent mcp python say timeout
Turns: barge_in end_of_turn idle
Voice: hold_music manner pronounce speed stt tts turns
"""
"""The keys that somebody has thought about. Before a new one is put here: what would it do, written by a stranger?"""


def test_nobody_adds_a_key_to_the_agent_file_without_thinking_of_this():
    schema = Agent.model_json_schema()
    parts = {"Agent": schema, **schema["$defs"]}
    reviewed = dict(line.split(": ") for line in REVIEWED.strip().splitlines())
    spoken = parts.keys() - reviewed.keys()
    only_said = {"Goal", "Hours", "Names", "Outcome", "Phrases", "Slot", "SmallTalk", "Warm"}
    assert spoken == only_said
    assert {name: " ".join(sorted(parts[name]["properties"])) for name in reviewed} == reviewed

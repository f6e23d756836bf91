"""A conversation goes on from a moment of another one: in a fresh brain, as if the rest had never been said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from voicebot import project
from voicebot.agent import Agent
from voicebot.brain import Moved, Say
from voicebot.brain.mind import open_brain
from voicebot.brain.rewound import Remembered, Rewound, fits


async def told(outputs: Any) -> tuple[str, dict[str, Any]]:
    """The words of a reply, and the slots it left."""
    said, slots = "", {}
    async for output in outputs:
        if isinstance(output, Say):
            said += output.text
        elif isinstance(output, Moved):
            slots = output.slots
    return said, slots


async def turn(brain: Rewound, text: str) -> tuple[str, dict[str, Any]]:
    said, slots = await told(brain.reply(text))
    await brain.heard(said, interrupted=False)
    return said, slots


def dental(tmp_path: Path, **changed: str) -> Agent:
    root = tmp_path / "dental"
    if not root.exists():
        project.create(root, "dental")
    text = (root / "agents/ava.yaml").read_text()
    for old, new in changed.items():
        text = text.replace(old, new)
    (root / "agents/ava.yaml").write_text(text)
    return Agent.load(root / "agents/ava.yaml")


async def test_a_flow_goes_on_where_it_was_and_knows_nothing_of_what_came_after(tmp_path: Path) -> None:
    agent = dental(tmp_path)
    kept: list[Remembered] = []
    first = Rewound(open_brain(agent, "first"), keep=kept.append)
    greeting, _ = await told(first.greet())
    await first.heard(greeting, interrupted=False)
    asked, _ = await turn(first, "I need a cleaning")
    _, after = await turn(first, "on Tuesday")
    assert after["day"]
    await first.close()

    through_json = Remembered.from_json(json.loads(json.dumps(kept[1].to_json())))
    again = Rewound(open_brain(agent, "again"), through_json)
    assert await told(again.greet()) == ("", {})
    assert again.begun.is_set()
    repeated, slots = await turn(again, "sorry, could you repeat that")
    assert {name for name, value in slots.items() if value} == {"treatment"}, slots
    assert not slots.get("day")
    assert asked.split("?")[0].split()[-1] in repeated
    _, slots = await turn(again, "on Wednesday")
    assert slots["day"] != after["day"]
    await again.close()


async def test_a_flow_that_was_edited_keeps_the_slots_it_still_has(tmp_path: Path) -> None:
    agent = dental(tmp_path)
    assert agent.flow
    state = {"goal": next(iter(agent.flow.goals)), "slots": {"day": "2026-11-24"}, "asking": {"slot": "day"}}
    assert fits(agent.flow, state)
    assert not fits(agent.flow, {**state, "goal": "gone"})
    assert not fits(agent.flow, {**state, "slots": {"gone": 1}})
    assert not fits(agent.flow, {**state, "asking": {"slot": "gone"}})
    brain = Rewound(open_brain(agent, "edited"), Remembered([], {**state, "goal": "gone"}))
    await told(brain.greet())
    assert (await brain._brain.memory()).flow == {"slots": {"day": "2026-11-24"}}
    await brain.close()

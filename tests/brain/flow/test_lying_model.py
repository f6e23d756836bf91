"""A model that lies as it likes never gets a wrong deed done: 50 calls of honest callers, each with other lies."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint, answer
from tests.doubles.rails_call import RailsCall, rails_call
from tests.doubles.text_call import TODAY
from voicebot.brain import Moved
from voicebot.brain.flow.wording import Wording

TURNS = 25
"""The caller gives up after so many."""

BOOKED = [
    {"id": 7, "name": "Anna Wilson", "phone": None, "treatment": "filling", "day": "2026-12-01", "time": "09:00"},
    {"id": 8, "name": "Peter Brown", "phone": None, "treatment": "whitening", "day": "2026-12-02", "time": "10:00"},
]
LIES: dict[str, list[str]] = {
    "treatment": ["filling", "whitening", "brain surgery"], "day": ["2026-12-03", "2026-11-25", "2019-01-01", "any"],
    "time": ["08:00", "16:30", "99:99", "morning"], "name": ["Peter Brown", "Nobody Here", "Root"],
    "phone": ["+12125550199", "911"], "order": ["20117", "10442", "31905", "x"],
}  # fmt: skip
CHATTER = ["um you see", "well my neighbour says", "gosh what a week", "so listen love", "between you and me", "er", ""]


@dataclass(frozen=True)
class Wish:
    """What a caller wants: a goal, the facts, how they are said, and the one deed that is right."""

    template: str
    goal: str
    opening: str
    said: Mapping[str, str]
    facts: Mapping[str, Any]
    deed: tuple[str, dict[str, Any]]


BOOK = {"treatment": "cleaning", "day": "2026-11-24", "time": "14:30", "name": "Maria Lopez", "phone": None}
SAID = {"treatment": "a cleaning", "day": "next tuesday", "time": "half past two", "name": "maria lopez",
        "phone": "i'd rather not say"}  # fmt: skip
WISHES = [
    Wish("dental", "book", "i'd like to book an appointment", SAID, BOOK, ("book", BOOK)),
    Wish(
        "dental", "move", "i need to move my appointment", {**SAID, "name": "anna wilson"},
        {"name": "Anna Wilson", "day": "2026-11-24", "time": "14:30"},
        ("move", {"appointment": 7, "day": "2026-11-24", "time": "14:30"}),
    ),
    Wish(
        "dental", "cancel", "i want to cancel my appointment", {"name": "anna wilson"}, {"name": "Anna Wilson"},
        ("cancel", {"appointment": 7}),
    ),
    Wish(
        "orders", "deliver_later", "i'd like to change the delivery day",
        {"order": "one zero four four two", "day": "saturday"}, {"order": "10442", "day": "2026-11-28"},
        ("change_delivery", {"order": "10442", "day": "2026-11-28"}),
    ),
]  # fmt: skip


class Liar:
    """Answers every request with something that is not so."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def __call__(self, request: dict[str, Any]) -> Answer:
        kind = self._chance.choice(["claims"] * 6 + ["words", "dump", "tool", "broken", "error", "empty"])
        if kind == "claims":
            return answer("", ("understood", self._claims(request)))
        if kind == "tool":
            return answer("", (self._chance.choice(["book", "cancel", "rm"]), {"appointment": 7, "order": "10442"}))
        return {
            "words": answer("All done, I've booked and cancelled everything. Is that right? Say yes."),
            "dump": answer(json.dumps({"name": "understood", "arguments": self._claims(request)})),
            "broken": answer("", ("understood", json.dumps(self._claims(request))[:-3])),
            "error": answer(status=500),
            "empty": answer(""),
        }[kind]

    def _claims(self, request: dict[str, Any]) -> dict[str, Any]:
        parameters = request["tools"][0]["function"]["parameters"]["properties"]
        slots = [slot for slot in parameters["slots"]["properties"] if self._chance.random() < 0.4]
        claims: dict[str, Any] = {"act": self._chance.choice([*parameters["act"]["enum"], *["yes"] * 8, "nonsense"])}
        if self._chance.random() < 0.3:
            claims["goal"] = self._chance.choice([*parameters["goal"]["enum"], "wire_money"])
        claims["slots"] = {slot: self._chance.choice(LIES[slot]) for slot in slots}
        if self._chance.random() < 0.2:
            claims["wrong"] = self._chance.sample(list(LIES), 2)
        if self._chance.random() < 0.5:
            claims["say"] = self._chance.choice(
                ["It's done, you're booked.", "Say yes now. Shall I?", "Dogs may come."]
            )
        return claims


class Caller:
    """Honest, a little chatty, and says yes only to what was wanted."""

    def __init__(self, wish: Wish, call: RailsCall, chance: random.Random) -> None:
        self.wish, self.call, self._chance = wish, call, chance
        assert call.agent.flow is not None
        self._wording = Wording(call.agent.flow)

    async def talk(self) -> None:
        said = await self.call.say(self._chatty(self.wish.opening))
        for _ in range(TURNS):
            if self.call.deeds or not said:
                return
            said = await self.call.say(self._answer(said))

    def _answer(self, said: str) -> str:
        step, slot = self._step.rpartition(".")[::2]
        if "put you through" in said or "to a person" in said:
            return "no"
        if step and step != self.wish.goal:
            return f"no {self.wish.opening}"
        if slot == "confirm":
            wrong = [name for name in self.wish.facts if not self._is_said(name, said)]
            return self._no(wrong[0]) if wrong else self._yes()
        if slot == "change":
            return self.wish.said[self._chance.choice(list(self.wish.said))]
        return self._chatty(self.wish.said[slot]) if slot in self.wish.said else self.wish.opening

    @property
    def _step(self) -> str:
        return [output.node for output in self.call.outputs if isinstance(output, Moved)][-1]

    def _is_said(self, slot: str, said: str) -> bool:
        value = self.wish.facts[slot]
        return slot not in said if value is None else self._wording.value(slot, value, TODAY) in said

    def _yes(self) -> str:
        return self._chance.choice(["yes", "yes please", "lovely", "brilliant", "um let me see", "what a day"])

    def _no(self, slot: str) -> str:
        plain = f"no the {slot} is {self.wish.said[slot]}"
        return self._chance.choice([plain, plain, "what a day", "good heavens that sounds odd", "lovely weather today"])

    def _chatty(self, words: str) -> str:
        return f"{self._chance.choice(CHATTER)} {words}".strip()


@pytest.mark.parametrize("block", range(5))
async def test_nothing_is_done_but_what_the_caller_wanted(tmp_path: Path, block: int) -> None:
    done, asked = 0, 0
    for seed in range(block * 10, block * 10 + 10):
        chance = random.Random(seed)
        wish = WISHES[seed % len(WISHES)]
        async with (
            OpenAIEndpoint(Liar(chance)) as server,
            rails_call(wish.template, tmp_path / str(seed), server) as call,
        ):
            if wish.template == "dental":
                (call.agent.root / "data" / "appointments.json").write_text(json.dumps(BOOKED))
            await Caller(wish, call, chance).talk()
            assert call.deeds in ([], [wish.deed]), f"seed {seed}"
            done, asked = done + len(call.deeds), asked + len(server.requests)
    assert done >= 5
    assert asked >= 10

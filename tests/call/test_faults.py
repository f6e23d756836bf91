"""A hundred calls with a fault in each: the caller hears something soon, the answer comes, and the call goes on."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from pydantic import SecretStr

from tests.doubles.anthropic_endpoint import AnthropicEndpoint, Message
from tests.doubles.openai_endpoint import Answer, OpenAIEndpoint
from tests.doubles.project import project
from tests.doubles.stubs import ScriptSTT, ToneTTS
from tests.doubles.typed_line import TypedLine
from voicebot import clock, events
from voicebot.agent import Agent, Filler
from voicebot.brain.apology import SENTENCES as APOLOGIES
from voicebot.brain.asking import GO_ON
from voicebot.brain.mind import open_brain
from voicebot.brain.session import GraphBrain
from voicebot.call import Call
from voicebot.llm import LLM, openai
from voicebot.turns import filler

CLAUDE = find_spec("langchain_anthropic") is not None
"""Without the extra `cloud` all providers are OpenAI-compatible ones."""
CALLS = 100
EVERY_S = 0.16
"""The calls begin one after the other, as calls do, and go on side by side."""
HEARD_WITHIN_S = 1.5
ASKED = "when do you open"
WORDS = "We open at eight in the morning, and we close at five."
SECOND = "We are open from eight."
THERE = "Yes, I am here."
FILLERS = {sentence for kinds in filler.SENTENCES["en"] for sentence in kinds}
TOOL = '''
def opening_hours(day: str) -> str:
    """When we are open on a day."""
    return f"eight to five on {day}"
'''


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the first provider, in both protocols. `None`: that one cannot fail like this."""

    openai: dict[str, Any] | None
    anthropic: dict[str, Any] | None
    words: bool = False
    """Words may come before it, after 'n' tokens."""
    tool: str | None = None
    """It is the arguments of a tool call."""


FAULTS = {
    "hangs before the first word": Fault({"first_s": 60}, {"first_s": 60}),
    "hangs in the middle": Fault({"hangs_after": "n"}, {"hangs_after": "n"}, words=True),
    "fails in the middle": Fault({"fails_after": "n"}, {"overloaded_after": "n"}, words=True),
    "connection cut": Fault({"cut_after": "n"}, {"cut_after": "n"}, words=True),
    "ends too early": Fault({"ends_after": "n"}, {"ends_after": "n"}, words=True),
    "500": Fault({"status": 500}, {"status": 500}),
    "429": Fault({"status": 429}, {"status": 429}),
    "401": Fault({"status": 401}, {"status": 401}),
    "overloaded": Fault({"status": 503}, {"status": 529}),
    "empty": Fault({"text": ""}, {"text": ""}),
    "garbage": Fault({"raw": b"data: {not json\n\n"}, None),
    "a web page": Fault({"raw": b"<html>Please log in</html>"}, None),
    "arguments cut off": Fault({}, {}, tool='{"day": "Mon'),
    "arguments of a wrong type": Fault({}, {}, tool='{"day": ["Monday"], "week": 3}'),
    "no arguments at all": Fault({}, {}, tool="42"),
    "unknown tool": Fault({}, {}, tool='{"day": "Monday"}'),
}


@dataclass
class Case:
    """One call. What goes wrong, where, and who else could answer is drawn by its seed."""

    seed: int
    name: str = ""
    fault: Fault = field(init=False)
    after: int = 0
    first_is_claude: bool = False
    has_second: bool = True
    repeats: bool = False
    calls_ended: list[events.CallEnded] = field(default_factory=list)
    happened: list[events.Event] = field(default_factory=list)
    heard_after_s: float = 99.0
    silences: list[float] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.name = list(FAULTS)[self.seed % len(FAULTS)]
        self.fault = FAULTS[self.name]
        self.first_is_claude = chance.random() < 0.4 and CLAUDE and self.fault.anthropic is not None
        self.has_second = chance.random() < 0.75
        self.after = chance.randrange(0, 8) if self.fault.words else 0
        self.repeats = chance.random() < 0.5

    def __str__(self) -> str:
        who = "claude" if self.first_is_claude else "openai"
        return f"call {self.seed}: {self.name} (after {self.after}, {who}, second: {self.has_second})"

    # -- the providers -----------------------------------------------------------------------------------------------

    def first(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the first provider answers, as fields of an `Answer` or a `Message`."""
        return self._reply(body, self.fault.anthropic if self.first_is_claude else self.fault.openai)

    def second(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the second one answers; asked to go on, it does so, or it begins once more as some models do."""
        if _asked(body) != ASKED:
            return {"text": THERE}
        if body["messages"][-1]["content"] != GO_ON:
            return {"text": SECOND}
        begun = str(body["messages"][-2]["content"])
        return {"text": WORDS if self.repeats else WORDS.removeprefix(begun).strip()}

    def _reply(self, body: dict[str, Any], how: dict[str, Any] | None) -> dict[str, Any]:
        if _asked(body) != ASKED:
            return {"text": THERE}
        if self.fault.tool is not None:
            return self._tool(body)
        assert how is not None
        return {"text": WORDS, **{key: self.after if value == "n" else value for key, value in how.items()}}

    def _tool(self, body: dict[str, Any]) -> dict[str, Any]:
        """A broken call; once it was told so, the model answers in words."""
        if any(message["role"] == "assistant" for message in body["messages"][-2:] if "tool" in str(message)):
            return {"text": SECOND}
        name = "oppening_hours" if self.name == "unknown tool" else "opening_hours"
        return {"text": "", "tools": [(name, self.fault.tool)]}

    # -- the call ----------------------------------------------------------------------------------------------------

    async def play(self, agent: Agent, providers: Providers) -> None:
        await asyncio.sleep(self.seed * EVERY_S)
        brain = open_brain(agent, f"call-{self.seed}")
        assert isinstance(brain, GraphBrain)
        brain._connect = lambda: providers.models(self)
        line = TypedLine()
        call = Call(agent, line, stt=ScriptSTT([]), tts=ToneTTS(), brain=brain)
        call.subscribe(self.happened.append)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._talk(line, brain))
            self.calls_ended.append(await call.run())

    async def _talk(self, line: TypedLine, brain: GraphBrain) -> None:
        try:
            await self._stopped(1)
            asked = await line.say(ASKED)
            await self._stopped(2)
            now = asyncio.get_running_loop().time()
            self.silences = line.silences(asked, now)
            self.heard_after_s = self.silences[0]
            await asyncio.sleep(0.2)
            self.remembered = [message.text for message in await brain.messages()]
            await line.say("are you there")
            await self._stopped(3)
        finally:
            line.hang_up()

    async def _stopped(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.said()) < count:  # noqa: ASYNC110 - the events are a plain list
                await asyncio.sleep(0.05)

    # -- what came of it ---------------------------------------------------------------------------------------------

    def said(self) -> list[events.AgentSpeechStopped]:
        return [event for event in self.happened if isinstance(event, events.AgentSpeechStopped)]

    def answer(self, turn: int = 1) -> str:
        """What was said in a turn, the one with the fault by default, fillers aside."""
        clauses = [event for event in self.happened if isinstance(event, events.AgentSaying) and event.turn == turn]
        return " ".join(event.text for event in clauses if not event.filler)

    def failures(self) -> list[events.ProviderFailed]:
        return [event for event in self.happened if isinstance(event, events.ProviderFailed)]

    def wrong(self) -> list[str]:
        """What is not as it has to be."""
        checks = {
            "the caller sat in silence": self.heard_after_s <= HEARD_WITHIN_S,
            "and later, too": max(self.silences[1:], default=0) <= 3 * Filler().after + 0.5,
            "no sensible answer": self._is_sensible(self.answer()),
            "the record does not say what happened": self._is_told(),
            "a filler was remembered": not any(one in text for one in FILLERS for text in self.remembered),
            "not what was heard was remembered": _letters(self.remembered[-1:]) == _letters([self._last_message()]),
            "the next turn did not work": self.answer(2) == THERE,
            "the call died": [ended.reason for ended in self.calls_ended] == ["caller_hung_up"],
        }
        return [what for what, is_so in checks.items() if not is_so]

    def _is_sensible(self, words: str) -> bool:
        if self.fault.tool is not None:
            return words == SECOND
        if not self.has_second:
            return words.endswith(APOLOGIES["en"])
        return words == (WORDS if self.after else SECOND)

    def _is_told(self) -> bool:
        if self.fault.tool is not None:
            returned = [event for event in self.happened if isinstance(event, events.ToolReturned)]
            return [event.ok for event in returned] == [False]
        remedies = [event.remedy for event in self.failures()]
        last = f"next: openai/m2-{self.seed}" if self.has_second else "apology"
        return remedies[-1:] == [last] and all(event.error for event in self.failures())

    def _last_message(self) -> str:
        words = self.answer()
        return APOLOGIES["en"] if words.endswith(APOLOGIES["en"]) else words


class Providers:
    """The servers of all calls, as in life; which call asks, they see by the model's name: 'm1-17'."""

    def __init__(self, cases: list[Case]) -> None:
        self._cases = {case.seed: case for case in cases}
        self.claude = AnthropicEndpoint(lambda body: Message(**self._of(body).first(body)))
        self.openai = OpenAIEndpoint(lambda body: Answer(**self._of(body).first(body)))
        self.other = OpenAIEndpoint(lambda body: Answer(**self._of(body).second(body)))

    def _of(self, body: dict[str, Any]) -> Case:
        return self._cases[int(body["model"].partition("-")[2])]

    async def models(self, case: Case) -> list[LLM]:
        name, url = ("anthropic", self.claude.url) if case.first_is_claude else ("openai", self.openai.url)
        provider = import_module(f"voicebot.llm.{name}")
        llms = [await provider.connect(f"m1-{case.seed}", base_url=url, key=SecretStr("k"), silence_s=2.5)]
        if case.has_second:
            llms.append(await openai.connect(f"m2-{case.seed}", base_url=self.other.url, silence_s=2.5))
        return llms


async def play(cases: list[Case], agent: Agent) -> None:
    """All of them, beginning one after the other."""
    providers = Providers(cases)
    async with providers.claude, providers.openai, providers.other, asyncio.TaskGroup() as tasks:
        for case in cases:
            tasks.create_task(case.play(agent, providers))


def _asked(body: dict[str, Any]) -> str:
    """The caller's last words in a request."""
    spoken = [message["content"] for message in body["messages"] if message["role"] == "user"]
    texts = [text if isinstance(text, str) else text[-1].get("text", "") for text in spoken]
    return next((text for text in reversed(texts) if text and text != GO_ON), "")


def _letters(texts: list[str]) -> str:
    return "".join("".join(texts).split())


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """All calls, made once."""
    root = tmp_path_factory.mktemp("project")
    brain = {"llm": "openai/m1", "base_url": "http://127.0.0.1:9", "prompt": "You are Ava.", "patience": "2s"}
    agent = project(root, {**brain, "tools": ["tools.py:opening_hours"]}, TOOL, greeting="Hello.")
    drawn = [Case(seed) for seed in range(CALLS)]

    clock.run(play(drawn, agent), skip_idle=True)
    return drawn


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_a_hundred_calls_with_a_fault_in_each_go_on(cases: list[Case]):
    wrong = {str(case): [*case.wrong(), case.answer()] for case in cases if case.wrong()}
    assert wrong == {}


def test_every_fault_was_tried_with_and_without_another_provider(cases: list[Case]):
    tried = {(case.name, case.has_second) for case in cases}
    assert len(tried) >= 2 * len(FAULTS) - 4
    assert {case.name for case in cases} == set(FAULTS)
    assert sum(case.first_is_claude for case in cases) > (CALLS / 5 if CLAUDE else -1)


def test_the_caller_hears_a_filler_where_nothing_else_is_ready(cases: list[Case]):
    hung = [case for case in cases if case.name == "hangs before the first word"]
    for case in hung:
        started = next(e for e in case.happened if isinstance(e, events.AgentSpeechStarted) and e.turn == 1)
        assert started.filler

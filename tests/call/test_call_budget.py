"""What calls may cost: counted from events, warned of, and in the end the agent says goodbye."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

import pytest

from tests.doubles.spoken import AGENT, SpokenCall
from tests.doubles.stubs import EchoBrain, ScriptSTT, ToneTTS
from tests.doubles.typed_line import TypedLine
from voicebot import clock, events
from voicebot.agent import Agent
from voicebot.brain import Output, Say, Used
from voicebot.call import Call
from voicebot.call.purse import SENTENCES, spending_file
from voicebot.errors import BadInput
from voicebot.money.tally import Tally

PER_REPLY_USD = 0.04


class PaidBrain(EchoBrain):
    """Each of its replies costs the same."""

    cost_usd: float | None = PER_REPLY_USD

    async def reply(self, text: str) -> AsyncGenerator[Output, None]:
        yield Used("openai/gpt-4.1-mini", 100, 0, 10, self.cost_usd)
        yield Say("All right.")


def reached(told: list[events.Event]) -> list[tuple[str, bool, object]]:
    return [
        (each.of, each.over, pytest.approx(each.spent_usd)) for each in told if isinstance(each, events.BudgetReached)
    ]


def said(told: list[events.Event]) -> list[str]:
    return [event.text for event in told if isinstance(event, events.AgentSaying)]


def spoken(settings: str, turns: int, brain: EchoBrain | None = None) -> tuple[SpokenCall, events.CallEnded]:
    async def caller(call: SpokenCall) -> None:
        for number in range(turns):
            await call.until(events.AgentSpeechStopped, 1 + number)
            await call.say("Yes, please go on.")
        await call.until(events.CallEnded)

    brain = brain or PaidBrain(greeting="Hello there.")
    call = SpokenCall(["yes please go on"] * turns, [], settings=settings, brain=brain)
    return call, call.play(caller)


def test_a_call_that_becomes_too_expensive_is_warned_of_and_then_ends_politely():
    call, ended = spoken("budget: {call: 0.09}", 3)
    assert (ended.reason, ended.detail) == ("agent_hung_up", "budget")
    assert reached(call.events) == [("call", False, 0.08), ("call", True, 0.12)]
    assert " ".join(said(call.events)).endswith(f"All right. {SENTENCES['en']}")
    assert call.events[-1] == ended


def test_the_words_of_the_end_are_the_agents_own():
    call, ended = spoken('budget: {call: 0.04, say: "The money is gone."}', 1)
    assert said(call.events)[-2:] == ["All right.", "The money is gone."]
    assert ended.detail == "budget"


def test_what_has_no_price_is_not_counted_and_ends_nothing():
    async def caller(call: SpokenCall) -> None:
        await call.until(events.AgentSpeechStopped)
        await call.say("Yes, please go on.")
        await call.until(events.AgentSpeechStopped, 2)

    brain = PaidBrain(greeting="Hello there.")
    brain.cost_usd = None
    call = SpokenCall(["yes please go on"], [], settings="budget: {call: 0.01}", brain=brain)
    assert call.play(caller).reason == "caller_hung_up"
    assert reached(call.events) == []


def test_the_day_is_not_counted_in_simulated_calls():
    call, _ = spoken("budget: {call: 0.04, day: 0.01}", 1)
    assert [of for of, _, _ in reached(call.events)] == ["call"]


def project(root: Path, budget: str) -> Agent:
    (root / "agents").mkdir(exist_ok=True)
    file = root / "agents" / "ava.yaml"
    file.write_text(f"{AGENT}\ngreeting: Hello there.\nbudget: {budget}\n")
    return Agent.load(file)


def real_call(agent: Agent, turns: int) -> list[events.Event]:
    """On the real clock, with a caller who types."""
    told: list[events.Event] = []

    async def call() -> None:
        line = TypedLine()
        brain = PaidBrain(greeting="Hello.")
        talk = Call(agent, line, stt=ScriptSTT([]), tts=ToneTTS(), brain=brain)
        talk.subscribe(told.append)
        running = asyncio.create_task(talk.run())
        for number in range(turns):
            while sum(isinstance(e, events.AgentSpeechStopped) for e in told) <= number:  # noqa: ASYNC110 - a plain list
                await asyncio.sleep(0.02)
            await line.say("go on")
        await running

    clock.run(asyncio.wait_for(call(), 30))
    return told


def test_the_sum_of_the_day_outlives_the_process_and_counts_in_others(tmp_path: Path):
    agent = project(tmp_path, "{day: 0.1}")
    file = spending_file(agent, date.today())
    assert file == tmp_path / ".voicebot" / "spending" / f"ava-{date.today():%Y-%m-%d}.log"
    add = (
        "import sys; from pathlib import Path; from voicebot.money.tally import tally_of\n"
        "tally_of(Path(sys.argv[1])).add(0.07, 'another')"
    )
    subprocess.run([sys.executable, "-c", add, str(file)], check=True)  # writes what it has before it ends
    told = real_call(agent, 1)
    assert reached(told) == [("day", True, 0.11)]
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["0.070000000", "0.040000000"]

    told = real_call(agent, 0)  # the next one is not even greeted
    assert said(told)[-1].endswith("Goodbye.")
    assert "Hello." not in said(told)
    assert reached(told) == [("day", True, 0.11)]
    ended = told[-1]
    assert isinstance(ended, events.CallEnded)
    assert ended.detail == "budget"


def test_several_processes_add_up_to_one_sum(tmp_path: Path):
    file = tmp_path / "spent.log"
    add = (
        "import sys; from pathlib import Path; from voicebot.money.tally import tally_of\n"
        "for _ in range(500): tally_of(Path(sys.argv[1])).add(0.001, 'one')"
    )
    several = [subprocess.Popen([sys.executable, "-c", add, str(file)]) for _ in range(3)]
    assert [process.wait(30) for process in several] == [0, 0, 0]
    tally = Tally(file)
    tally.look()
    assert tally.usd == pytest.approx(1.5)


def test_a_broken_line_costs_only_itself(tmp_path: Path):
    file = tmp_path / "spent.log"
    file.write_bytes(b"0.5 a\nnonsense\n-3 b\nnan c\n\xff\xfe\n0.25 d\n0.125 cut in ha")
    tally = Tally(file)
    tally.look()
    assert tally.usd == 0.75
    with file.open("ab") as more:
        more.write(b"lf\n")
    tally.look()
    assert tally.usd == 0.875


def test_a_disk_that_takes_nothing_stops_no_sum(tmp_path: Path):
    (tmp_path / "file").write_text("")
    tally = Tally(tmp_path / "file" / "below.log")
    tally.add(0.5, "one")
    tally.look()
    assert tally.usd == 0.5


@pytest.mark.parametrize(
    ("budget", "problem"),
    [
        ("{call: 0}", "'call' must be greater than 0"),
        ("{call: free}", "'call' must be a number"),
        ("{calls: 1}", "unknown key 'calls' in 'budget'. Did you mean 'call'?"),
        ("{warn: 0.5}", "say what may be spent, in US dollars: 'call', 'day' or both."),
        ("{day: 5, warn: 80}", "'warn' must be"),
        ("5", "'budget' must be 'key: value' lines, not '5'"),
    ],
)
def test_a_budget_that_is_wrong_says_so(budget: str, problem: str):
    with pytest.raises(BadInput) as wrong:
        Agent.parse(f"{AGENT}budget: {budget}\n", shown="ava.yaml")
    assert problem in str(wrong.value)
    assert str(wrong.value).startswith("ava.yaml:4:")


def test_every_language_has_its_own_goodbye():
    assert {"de", "en", "es", "fr", "it", "nl", "pt"} <= SENTENCES.keys()
    assert all(len(words.split(". ")) >= 2 for words in SENTENCES.values())

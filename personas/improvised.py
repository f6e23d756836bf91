"""A caller whose words a language model finds. It knows the persona's matter and what was heard, and nothing else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from voicebot import clock
from voicebot.llm import LLM, fault

from .mind import wanted
from .persona import Persona
from .words import CallerBroke, Move

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk, BaseMessage

LONGEST_ANSWER_S = 30.0
"""A model that takes longer for one answer is broken; a local one has as long as it may be silent."""
_SILENCES = 3
_SIGNALS = ("done", "give up", "confused", "listen")
_SIGNAL = re.compile(rf"\[({'|'.join(_SIGNALS)})\]", re.IGNORECASE)
_NOTHING_SAID = "[Nothing was heard for a while.]"
_TALKED_ON = "[You spoke while the agent was talking, and got no answer to it.]"

PROMPT = """\
You play a caller on the telephone who speaks to an agent. Today is {today}.
You are {name}. {about}
What you want: {goal}
What you know:
{facts}
{manners}
Answer with the words you say next and nothing else: spoken English, one or two short sentences, numbers as words.
Say only what you were asked for or what you want. What is not in the list above you do not know; make nothing up.
Object when the agent gets something wrong. Never help the agent with its work and never say that you are a machine.
Use these signals, each in square brackets, exactly like this:
[done] after your last words, when you have got what you want. The line is hung up then.
[give up] after your last words, when there is no use in going on. The line is hung up then.
[confused] after your words, when what the agent said makes no sense to you.
[listen] instead of words, when the agent will go on by itself ("one moment please").
"""


class Improvisation:
    """The `Words` of a language model."""

    pause_ms: float | None = None
    unprompted_ms: float | None = None
    cut_in_ms: float | None = None

    def __init__(self, llm: LLM, persona: Persona, today: date) -> None:
        self._llm = llm
        self._told = [("system", _prompt(persona, today))]
        self._silences = 0
        self._last = ""
        self.content = False
        self.wants: Mapping[str, str] = wanted(persona, today)
        self.lost: list[str] = []

    def cuts_in(self, heard: str, clause: str) -> bool:
        """A model is too slow to interrupt anybody."""
        return False

    async def answer(self, heard: str, *, cutting_in: bool = False) -> Move | None:
        self._silences = 0
        return await self._say_to(heard)

    async def silence(self) -> Move | None:
        self.lost.append("silence")
        self._silences += 1
        if self._silences >= _SILENCES:
            return Move("hello? I'll call back later, goodbye.", hang_up=True, confused=True)
        return await self._say_to(_NOTHING_SAID)

    async def again(self) -> Move | None:
        return await self._say_to(_TALKED_ON)

    async def _say_to(self, heard: str) -> Move | None:
        """The model's next words, kept as said only when they are there: it may be stopped while it thinks."""
        told = [*self._told, ("human", heard)]
        text = await _answered(self._llm, told)
        signals = {found.lower() for found in _SIGNAL.findall(text)}
        words = " ".join(_SIGNAL.sub(" ", text).split()).strip('"')
        self._told = [*told, ("ai", text)]
        if "confused" in signals:
            self.lost.append(f"makes no sense: {heard}")
        if "give up" in signals:
            self.lost.append(f"gave up: {heard}")
        self.content = self.content or "done" in signals
        over = bool(signals & {"done", "give up"})
        if not words and not over:
            return None
        return Move(words, hang_up=over, confused="confused" in signals)


async def _answered(llm: LLM, told: list[tuple[str, str]]) -> str:
    """The model's answer; a passing fault is tried once more. Raises CallerBroke."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds: Mapping[str, type[BaseMessage]] = {"system": SystemMessage, "human": HumanMessage, "ai": AIMessage}
    messages = llm.shaped([kinds[who](text) for who, text in told])
    for attempt in (1, 2):
        limit_s = max(LONGEST_ANSWER_S, llm.silence_s)
        try:
            with clock.work():
                async with asyncio.timeout(limit_s):
                    return await _complete(llm, messages)
        except Exception as error:
            why = fault(error, llm, limit_s)
            if attempt == 2 or not why.passing:
                raise CallerBroke(f"the caller's model failed: {why.sentence}") from error
    raise AssertionError("unreachable")


async def _complete(llm: LLM, messages: list[BaseMessage]) -> str:
    answer: AIMessageChunk | None = None
    async for chunk in llm.model.astream(messages):
        answer = chunk if answer is None else answer + chunk
    if answer is None or (llm.complete_key and llm.complete_key not in answer.response_metadata):
        raise ConnectionError("the answer was cut off")
    return str(answer.text).strip()


def _prompt(persona: Persona, today: date) -> str:
    facts = "\n".join(f"- {fact}: {', or '.join(known.spoken)}" for fact, known in persona.facts.items())
    return PROMPT.format(
        today=f"{today:%A, %B} {today.day}, {today.year}",
        name=persona.name,
        about=persona.about,
        goal=persona.goal or "see what you know",
        facts=facts or "- nothing in particular",
        manners=_manners(persona),
    )


def _manners(persona: Persona) -> str:
    """What of the persona's temperament is a matter of words; the rest is done without the model."""
    manners = persona.temperament
    lines = []
    if manners.wants_human:
        lines.append("You want to talk to a person and not to a machine, and say so.")
    if manners.digression:
        lines.append(f"Once, you ask beside the matter: {manners.digression.ask[0]}")
    if manners.refuses_to_give:
        lines.append("You would rather not give personal details, and give them only when asked again.")
    for fact in persona.facts:
        if wrongs := persona.wrong_first(fact):
            lines.append(f"The first time, you say {wrongs[0]} for the {fact} by mistake, and correct yourself.")
            break
    if manners.patience <= 1:
        lines.append("You are impatient: you give up as soon as you are misunderstood.")
    return "\n".join(lines)

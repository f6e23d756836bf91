"""The guardrails of one call around its brain: what goes in, what tools and knowledge bring, what comes out.

They stand around the graph and are no nodes of it. What an agent says leaves clause by clause while its node still
runs, so a node behind it would come too late; and a graph that somebody else wrote gets the same rails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from loguru import logger

from voicebot.agent import Agent
from voicebot.brain import Guarded
from voicebot.brain.guardrails import KNOWLEDGE, Guard, Ruling, judge
from voicebot.brain.jobs import Run
from voicebot.brain.prompt import read
from voicebot.brain.tools import Outcome
from voicebot.errors import VoicebotError
from voicebot.llm import LLM
from voicebot.tts.clauses import Clauses

OpenJudge = Callable[[], Awaitable[LLM]]
REFUSED = "[The caller said something that must not be passed on to you. They were told so.]"
"""Stands in the conversation for what the caller said."""


def guard_of(agent: Agent) -> Guard | None:
    """The guard of a call that this agent answers; it stays on when the agent hands over to another one."""
    if agent.brain.guardrails is None:
        return None
    own = [agent.greeting or "", *(document.text for document in read(agent.brain.knowledge, agent.root))]
    secret = [agent.brain.prompt] if agent.brain.prompt else []
    return Guard(agent.brain.guardrails, agent.language, secret_texts=secret, own_texts=own)


class Watch:
    """One brain's. `redacts`: it reads words for a language model, so what is private does not reach it."""

    def __init__(self, guard: Guard, agent: Agent, *, redacts: bool, judge: OpenJudge | None = None) -> None:
        """`judge` opens the model that is asked for a second opinion."""
        self._guard = guard
        self._open_judge = judge
        self._judge: LLM | None = None
        self._agent = agent
        self._redacts = redacts
        self._struck: list[Guarded] = []

    @property
    def desk(self) -> str:
        """To whom a caller is handed over."""
        return self._agent.handoff[0].to if self._agent.handoff else "a person"

    async def rule(self, text: str) -> Ruling:
        """On the caller's turn: by the rules, and where they let it through by a model, if there is one to ask."""
        ruling = self.caller(text)
        opinion = None if ruling.say else await self.second_opinion(ruling.text)
        return opinion if opinion and opinion.say else ruling

    def caller(self, text: str) -> Ruling:
        """On the caller's turn. Of what goes on, `text` is what the brain gets."""
        ruling = self._guard.caller(text)
        self._strikes(ruling, "caller")
        passes = ruling.action not in ("block", "hand_over")
        return ruling if self._redacts or not passes else replace(ruling, text=text)

    async def second_opinion(self, text: str) -> Ruling | None:
        """A model's verdict on a turn of the caller that the rules have let through; None when nobody is asked."""
        rails = self._agent.brain.guardrails
        if rails is None or self._open_judge is None or not text:
            return None
        try:
            self._judge = self._judge or await self._open_judge()
        except VoicebotError as error:
            logger.warning(f"the guardrails have no judge: {error}")
            self._open_judge = None
            return None
        ruling = await judge(self._judge.model, rails, text, side="the caller", language=self._agent.language)
        self._strikes(ruling, "caller")
        return ruling

    def passes(self, text: str) -> bool:
        """Whether a guess at the caller's turn surely goes on as it is. Nothing is remembered of it."""
        return self._guard.fresh().caller(text).text == text

    def tools(self, run: Run) -> Run:
        """`run`, with the real values for placeholders in the arguments, and with an eye on the results."""

        async def guarded(name: str, arguments: Mapping[str, Any]) -> Outcome:
            outcome = await run(name, self._guard.restore(dict(arguments)))
            if not self._redacts:
                return outcome
            ruling = self._guard.result(name, outcome.content)
            self._strikes(ruling, "tool")
            return outcome if ruling.text == outcome.content else replace(outcome, result=ruling.text)

        return guarded

    def knowledge(self, text: str) -> str:
        """Passages on their way to the model."""
        return self._guard.result(KNOWLEDGE, text).text if text else text

    def lips(self) -> Lips:
        """For the agent's next reply."""
        return Lips(self._guard, self._strikes, self.desk)

    def struck(self) -> Iterator[Guarded]:
        """The rails that struck since this was asked last."""
        struck, self._struck = self._struck, []
        yield from struck

    def _strikes(self, ruling: Ruling, side: Literal["caller", "agent", "tool"]) -> None:
        if ruling.action != "pass":
            kinds = dict.fromkeys((hit.rail, hit.kind) for hit in ruling.hits)
            self._struck += [Guarded(rail, kind, side, ruling.action) for rail, kind in kinds]


class Lips:
    """Of one reply. Words are held back until their clause is whole, which is when a voice would begin to speak it."""

    def __init__(self, guard: Guard, strikes: Callable[[Ruling, Literal["agent"]], None], desk: str) -> None:
        self.desk = desk
        """To whom the caller is handed over."""
        self._guard = guard
        self._strikes = strikes
        self._clauses = Clauses()
        self.sealed: Ruling | None = None
        """The ruling that ended the reply: nothing more is said of it."""

    def feed(self, text: str) -> str:
        """More of the reply -> what of it may be spoken now."""
        return "".join(self._passed(clause) for clause in self._clauses.feed(text))

    def flush(self) -> str:
        """What was held back is whole."""
        return "".join(self._passed(clause) for clause in self._clauses.flush())

    def remembered(self, text: str) -> str:
        """Words of the reply as the conversation keeps them."""
        return self._guard.heard(text)

    def _passed(self, clause: str) -> str:
        if self.sealed:
            return ""
        ruling = self._guard.agent(clause)
        self._strikes(ruling, "agent")
        if ruling.action in ("block", "hand_over"):
            self.sealed = ruling
            return ruling.say
        gap = clause[len(clause.rstrip()) :]
        return clause if ruling.text == clause else ruling.text.rstrip() + gap

"""The budget of one call: counts what its events tell, warns, and in the end has the agent say goodbye."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

from loguru import logger

from voicebot import clock, events
from voicebot.agent import Agent, Budget
from voicebot.call.asides import Aside
from voicebot.call.opening import Reason
from voicebot.call.telling import AnyEvent
from voicebot.errors import BadInput
from voicebot.money.tally import Tally, tally_of

DETAIL = "budget"
"""How a call that was ended for its cost says so in `call_ended`."""
FOLDER = Path(".voicebot") / "spending"
SENTENCES = {
    "de": "Es tut mir leid, ich muss unser Gespräch hier beenden. Bitte rufen Sie später wieder an. Auf Wiederhören.",
    "en": "I'm sorry, I have to end our call here. Please call again later. Goodbye.",
    "es": "Lo siento, tengo que terminar aquí la llamada. Por favor, vuelva a llamar más tarde. Adiós.",
    "fr": "Je suis désolé, je dois terminer cet appel ici. Merci de rappeler plus tard. Au revoir.",
    "it": "Mi scusi, devo terminare qui la chiamata. La prego di richiamare più tardi. Arrivederci.",
    "nl": "Het spijt me, ik moet ons gesprek hier beëindigen. Belt u later terug. Tot ziens.",
    "pt": "Desculpe, tenho de terminar aqui a chamada. Por favor, volte a ligar mais tarde. Adeus.",
}

Emit = Callable[..., Any]
"""Tells an event, by its class and fields."""
Of = Literal["call", "day"]


class Talk(Protocol):
    """What a `Purse` needs of its call."""

    def interject(self, aside: Aside) -> None: ...

    def end(self, reason: Reason, detail: str) -> None: ...


class Purse:
    """One call's. Plain calls on the event loop, but for `open`."""

    def __init__(self, agent: Agent, call_id: str, emit: Emit, talk: Talk) -> None:
        self.spent_usd = 0.0
        """In this call, as far as it has a price."""
        self._agent = agent
        self._call_id = call_id
        self._emit = emit
        self._talk = talk
        self._warned: set[Of] = set()
        self._over = False
        self._unpriced: set[str] = set()

    async def open(self) -> None:
        """Look up what this agent has spent today."""
        if day := self._day():
            await asyncio.get_running_loop().run_in_executor(None, day.look)

    def refuses(self) -> bool:
        """True when there is nothing left to begin a call with; the agent has been told to say so."""
        self._check()
        return self._over

    def counted(self, event: AnyEvent) -> AnyEvent:
        """To be called with every event of the call; returns it."""
        if self._agent.budget and isinstance(event, events.ModelUsed | events.SpeechUsed):
            self._count(event.provider, event.cost_usd)
        return event

    def _count(self, provider: str, usd: float | None) -> None:
        if usd is None:
            self._complain(provider)
        elif usd:
            self.spent_usd += usd
            if day := self._day():
                day.add(usd, self._call_id)
            self._check()

    def _check(self) -> None:
        budget, day = self._agent.budget, self._day()
        if budget is None or self._over:
            return
        if budget.call:
            self._compare("call", self.spent_usd, budget.call, budget)
        if budget.day and day and not self._over:
            self._compare("day", day.usd, budget.day, budget)

    def _compare(self, of: Of, spent_usd: float, limit_usd: float, budget: Budget) -> None:
        self._over = spent_usd >= limit_usd
        if not self._over and (of in self._warned or spent_usd < budget.warn * limit_usd):
            return
        self._warned.add(of)
        about = {"of": of, "spent_usd": round(spent_usd, 6), "budget_usd": limit_usd, "over": self._over}
        self._emit(events.BudgetReached, **about)
        if self._over:
            self._say_goodbye(budget)

    def _say_goodbye(self, budget: Budget) -> None:
        language = self._agent.language.partition("-")[0]
        words = budget.say or SENTENCES.get(language, SENTENCES["en"])
        try:
            self._talk.interject(Aside(words, ("agent_hung_up", DETAIL)))
        except BadInput:  # an operator has so much to say that it would only cost more
            self._talk.end("agent_hung_up", DETAIL)

    def _day(self) -> Tally | None:
        """Simulated calls have no part in it: the same call shall be the same again, and stop nobody's real one."""
        budget = self._agent.budget
        if budget is None or budget.day is None or clock.name() != "real":
            return None
        return tally_of(spending_file(self._agent, date.today()))

    def _complain(self, provider: str) -> None:
        if provider not in self._unpriced:
            self._unpriced.add(provider)
            logger.warning(f"the budget does not count {provider}: it has no price. Give it one in prices.yaml.")


def spending_file(agent: Agent, day: date) -> Path:
    """Where what an agent spends on a day is added up."""
    name = re.sub(r"[^a-z0-9]+", "-", (Path(agent.file).stem or agent.name).lower()).strip("-") or "agent"
    return agent.root / FOLDER / f"{name}-{day:%Y-%m-%d}.log"

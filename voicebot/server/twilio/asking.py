"""One colleague who is asked whether they take a call: from the first ring to their answer."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from voicebot.call.asides import Through
from voicebot.call.offrecord import NOT_KEPT
from voicebot.server.twilio import conference
from voicebot.server.twilio.sentences import asked_words

State = Literal["ringing", "answered", "accepted", "declined", "no_answer", "busy", "failed", "cancelled"]
"""See `voicebot.events.TransferMoved`."""
OPEN: Final = ("ringing", "answered")
_ENDS: Final[dict[str, State]] = {
    "busy": "busy",
    "no-answer": "no_answer",
    "canceled": "no_answer",
    "failed": "failed",
    "completed": "declined",
}
"""What it means when their call is over before they have said yes."""
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_MOST_TIMES = 2
"""How often they are asked who say nothing that can be understood."""


class Asking:
    """`moved(state, detail)` is called with each state but the first, and with no more behind the one that ends it."""

    def __init__(
        self, call_id: str, through: Through, brief: str, language: str, url: str, moved: Callable[[State, str], None]
    ) -> None:
        """`url`: where its webhooks are, with neither token nor step."""
        self.through = through
        self.token = secrets.token_urlsafe(16)
        self.url = f"{url}/{call_id}/{self.token}"
        self.over = asyncio.Event()
        """They have said yes or no, or will not."""
        self.state: State = "ringing"
        self._call_id = call_id
        self._brief = brief
        self._language = language
        self._moved = moved
        self._times = 0

    @property
    def open(self) -> bool:
        """Whether they can still say yes."""
        return self.state in OPEN

    def answered(self) -> str:
        """TwiML for them."""
        if not self.open:
            return conference.goodbye("gone", self._language)
        self._to("answered")
        return self._question()

    def chosen(self, digits: str, speech: str) -> str:
        """TwiML for them."""
        if self.state == "accepted":  # asked again, as Twilio does when an answer was lost
            return self._room()
        if not self.open:
            return conference.goodbye("gone", self._language)
        choice = self._choice(digits, speech)
        if choice is None and self._times < _MOST_TIMES:
            return self._question()
        self._to("accepted" if choice else "declined")
        return self._room() if choice else conference.goodbye("declined", self._language)

    def ended(self, status: str) -> None:
        """Their call is, with this status of Twilio's."""
        if self.open and status in _ENDS:
            self._to(_ENDS[status])

    def give_up(self, state: State, detail: str = "") -> bool:
        """Whether there was anything to give up."""
        if not self.open:
            return False
        self._to(state, detail)
        return True

    def _to(self, state: State, detail: str = "") -> None:
        if state != self.state:
            self.state = state
            if not self.open:
                self.over.set()
            self._moved(state, detail)

    def _question(self) -> str:
        self._times += 1
        return conference.question(self._brief, self._language, f"{self.url}/choice")

    def _room(self) -> str:
        return conference.room(self._call_id, f"{self.url}/over")

    def _choice(self, digits: str, speech: str) -> bool | None:
        """None when neither yes nor no can be heard in it."""
        if digits:
            return digits == "1"
        words, spoken = asked_words(self._language), re.findall(r"\w+", speech.lower())
        if any(word in spoken for word in words.no):
            return False
        return True if any(word in spoken for word in words.yes) else None


def brief_of(through: Through, agent: str, language: str, known: Mapping[str, Any]) -> str:
    """What they hear first. `known`: `caller`, `said`, and the slots of a flow."""
    facts = {name: str(value) for name, value in known.items() if value not in (None, "", NOT_KEPT)}
    facts["reason"] = through.reason
    if through.warm.brief:
        return _PLACE.sub(lambda place: facts.get(place[1], ""), through.warm.brief)
    words = asked_words(language)
    slots = [f"{name.replace('_', ' ')}: {value}" for name, value in facts.items() if name not in _NO_SLOTS]
    parts = [words.intro.format(agent=agent), through.reason, ", ".join(slots)]
    if not through.reason and "said" in facts:
        parts.append(words.said.format(said=facts["said"]))
    return " ".join(part.rstrip(". ") + "." for part in parts if part)


_NO_SLOTS: Final = ("caller", "said", "reason")

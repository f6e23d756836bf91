"""The guard of one call: every text that goes in or out passes it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from voicebot.agent.guardrails import Guardrails
from voicebot.brain.guardrails import injection, leak, never_say, topics, toxicity
from voicebot.brain.guardrails.pii.scene import Private
from voicebot.brain.guardrails.privacy import Privacy
from voicebot.brain.guardrails.reading import Reading
from voicebot.brain.guardrails.refusals import refusal
from voicebot.brain.guardrails.ruling import STRENGTH, Act, Hit, Ruling

LONGEST = 20_000
"""Characters that are looked at. What is behind them nobody has checked, so it does not go on."""
CUT = " ... (cut: too long to be checked)"
WITHHELD = "(withheld: it held instructions and not information)"
KNOWLEDGE = "knowledge"
"""The name under which the firm's own texts come to `Guard.result`: its telephone numbers and addresses are public."""
REMEMBERED = 64
"""Texts of which it is known how they are recorded."""
_FIRST_WORDS = ("my name is 555 0123", "plus one two one two five five five oh one two three")
"""Words that need every rule."""
_SENTENCE_ENDS = re.compile(r"[.!?]+(?=\s|$)|[\n\"{}<>]")


class Guard:
    """Rules over what the caller says, what tools return and what the agent is about to say.

    Cheap to make, one a call: the rules are compiled once a process. `secret_texts` are what the agent must not recite
    (its prompt); `own_texts` are texts of the firm, whose telephone numbers and addresses are no secret.
    """

    def __init__(
        self, settings: Guardrails, language: str, *, secret_texts: Sequence[str] = (), own_texts: Sequence[str] = ()
    ) -> None:
        self._settings = settings
        self._language = language.partition("-")[0]
        self._fresh = partial(Guard, settings, language, secret_texts=secret_texts, own_texts=own_texts)
        self._privacy = Privacy(settings.pii, language, (*secret_texts, *own_texts)) if settings.pii else None
        self._topics = _topics_of(settings, self._language)
        self._never_say = (
            never_say.compiled(tuple(settings.never_say.texts), self._language) if settings.never_say else None
        )
        self._secrets = leak.secrets(tuple(secret_texts)) if settings.injection else frozenset()
        self._said: list[str] = []
        """The last words of the reply so far."""
        self._said_plain: list[str] = []
        self._recorded: OrderedDict[str, str] = OrderedDict()

    def fresh(self) -> Guard:
        """Another guard of the same kind, which has heard nothing yet."""
        return self._fresh()

    def load(self) -> None:
        """Read and compile the rules now, once a process, and not in a caller's first turn. It blocks for a moment."""
        guard = self.fresh()
        for text in _FIRST_WORDS:
            guard.caller(text)
            guard.record(text)

    def caller(self, text: str) -> Ruling:
        """The caller's turn, before the brain gets it."""
        text = _bounded(text)
        reading = Reading(text)
        hits = [*self._abuse(reading, "caller"), *self._injected(reading, "caller"), *self._off_topic(reading)]
        self._said, self._said_plain = [], []
        if not self._privacy:
            return self._ruling(text, text, hits)
        found = self._privacy.caller(text)
        self._privacy.agent_begins()
        hidden = self._privacy.hidden(text, found, by_caller=True)
        self._remember(text, hidden)
        action, settings = self._settings.pii.caller if self._settings.pii else "off", self._settings.pii
        goes_on = hidden if settings and settings.model == "redacted" and action == "redact" else text
        return self._ruling(text, goes_on, [*hits, *self._with(action, _hits(found))])

    def result(self, tool: str, text: str) -> Ruling:
        """What a tool, or the knowledge (`KNOWLEDGE`), returned, before the model sees it.

        A result is never refused to the caller: what is blocked reaches the model as a note that it was withheld.
        """
        text = _bounded(text)
        injected = self._injected(Reading(text), "results")
        goes_on = text
        if self._strongest(injected) == "block":
            return Ruling(WITHHELD, tuple(hit for hit, _ in injected), "block")
        if self._strongest(injected) == "redact":
            goes_on = _without_sentences(text, [hit for hit, _ in injected])
        private: list[tuple[Hit, str]] = []
        if self._privacy and self._settings.pii and self._settings.pii.results != "off":
            found = self._privacy.results(goes_on, public=tool == KNOWLEDGE)
            private = self._with(self._settings.pii.results, _hits(found))
            if self._settings.pii.results == "redact" and self._settings.pii.model == "redacted":
                goes_on = self._privacy.hidden(goes_on, found, by_caller=False)
        ruling = self._ruling(text, goes_on, [*injected, *private])
        return Ruling(WITHHELD, ruling.hits, "block") if ruling.action in ("block", "hand_over") else ruling

    def agent(self, clause: str) -> Ruling:
        """A clause that the agent is about to say; with the clauses before, since the caller last spoke, in mind."""
        clause = _bounded(clause)
        reading = Reading(clause)
        hits = [*self._abuse(reading, "agent"), *self._off_topic(reading), *self._recited(reading)]
        forbidden = self._forbidden(reading)
        goes_on = clause
        settings = self._settings.pii
        if self._privacy and settings:
            found = self._privacy.agent(clause)
            hits += self._with(settings.agent, _hits(found))
            if settings.agent == "redact":
                goes_on = self._privacy.withheld(clause, found)
            goes_on = self._privacy.spoken(goes_on)
        if self._strongest(forbidden) == "redact":
            goes_on = "" if goes_on != clause else _without(clause, [hit for hit, _ in forbidden])
        return self._ruling(clause, goes_on, [*hits, *forbidden])

    def record(self, text: str, *, interim: bool = False) -> str:
        """What may be kept of a text in records, logs and traces. Of an interim transcript every run of digits is
        masked, because it may be the beginning of a number."""
        settings = self._settings.pii
        if not self._privacy or not settings or settings.records == "raw":
            return text
        text = _bounded(text)
        if interim:
            return self._privacy.record(text, interim=True)
        if text not in self._recorded:
            self._remember(text, self._privacy.record(text, interim=False))
        return self._recorded[text]

    def hide(self, text: str) -> str:
        """A text from elsewhere, such as a line of the log, without what the caller has told. On any thread."""
        if not self._privacy:
            return text
        for said, recorded in list(self._recorded.items()):
            if said != recorded and said in text:
                text = text.replace(said, recorded)
        return self._privacy.vault.hide(text)

    def heard(self, text: str) -> str:
        """What the caller heard of a reply, on its way into the conversation's memory: the model does not get to see
        there what was hidden from it before."""
        redacted = self._settings.pii and self._settings.pii.model == "redacted"
        return self._privacy.heard(text) if self._privacy and redacted else text

    def restore(self, value: Any) -> Any:
        """A tool's arguments with the real values for the placeholders in them, at any depth."""
        return self._privacy.vault.restore(value) if self._privacy else value

    def _abuse(self, reading: Reading, side: str) -> list[tuple[Hit, str]]:
        settings = self._settings.toxicity
        if not settings:
            return []
        action = settings.caller if side == "caller" else settings.agent
        found = toxicity.find(reading, side)
        harm = [hit for hit in found if hit.kind == toxicity.SELF_HARM and side == "caller"]
        return [*self._with(settings.self_harm, harm), *self._with(action, [hit for hit in found if hit not in harm])]

    def _injected(self, reading: Reading, side: str) -> list[tuple[Hit, str]]:
        settings = self._settings.injection
        action = "off" if not settings else settings.caller if side == "caller" else settings.results
        return self._with(action, injection.find(reading, side)) if action != "off" else []

    def _off_topic(self, reading: Reading) -> list[tuple[Hit, str]]:
        if not self._topics or not self._settings.topics:
            return []
        return self._with(self._settings.topics.action, self._topics.find(reading))

    def _recited(self, reading: Reading) -> list[tuple[Hit, str]]:
        """Words of the prompt, those of the clauses before included."""
        if not self._secrets or not self._settings.injection:
            return []
        words = [*self._said, *leak.plain(reading)]
        self._said = words[-leak.LENGTH + 1 :]
        if not leak.recites(words, self._secrets):
            return []
        return self._with(self._settings.injection.agent, [Hit("injection", "prompt_leak", 0, len(reading.raw), 1.0)])

    def _forbidden(self, reading: Reading) -> list[tuple[Hit, str]]:
        if not self._never_say or not self._settings.never_say:
            return []
        hits = list(self._never_say.find(reading, self._said_plain))
        words = [*self._said_plain, *(word for word, _, _ in self._never_say.plain(reading))]
        self._said_plain = words[-never_say.LONGEST_TAIL :]
        return self._with(self._settings.never_say.action, hits)

    def _with(self, action: str, hits: Iterable[Hit]) -> list[tuple[Hit, str]]:
        return [(hit, action) for hit in hits] if action != "off" else []

    def _strongest(self, hits: Iterable[tuple[Hit, str]]) -> str:
        return max((action for _, action in hits), key=STRENGTH.__getitem__, default="pass")

    def _ruling(self, text: str, goes_on: str, hits: Sequence[tuple[Hit, str]]) -> Ruling:
        """The strongest act of all hits; it also decides what the caller hears."""
        found = tuple(hit for hit, _ in hits)
        action: Any = self._strongest(hits)
        if action == "redact" and goes_on == text:
            action = "flag"
        if action not in ("block", "hand_over"):
            return Ruling(goes_on, found, action)
        first = next(hit for hit, act in hits if act == action)
        return Ruling("", found, action, self._refusal(action, first))

    def _refusal(self, action: Act, hit: Hit) -> str:
        return refusal(action, hit, self._language, self._settings.refusal)

    def _remember(self, text: str, recorded: str) -> None:
        self._recorded[text] = recorded
        if len(self._recorded) > REMEMBERED:
            self._recorded.popitem(last=False)


def _topics_of(settings: Guardrails, language: str) -> topics.Topics | None:
    if not settings.topics:
        return None
    deny = tuple(each if isinstance(each, str) else (each.name, tuple(each.words)) for each in settings.topics.deny)
    return topics.compiled(deny, tuple(settings.topics.allow), language)


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + CUT


def _hits(found: Iterable[Private]) -> list[Hit]:
    return [Hit("pii", each.kind, each.start, each.end, each.score) for each in found]


def _without(text: str, hits: Iterable[Hit]) -> str:
    for hit in sorted(hits, key=lambda each: -each.start):
        text = text[: hit.start] + text[hit.end :]
    return " ".join(text.split())


def _without_sentences(text: str, hits: Sequence[Hit]) -> str:
    """The text with a note in place of each sentence that a hit touches."""
    spans: list[tuple[int, int]] = []
    ends = [match.end() for match in _SENTENCE_ENDS.finditer(text)]
    for hit in sorted(hits, key=lambda each: each.start):
        start = max((end for end in ends if end <= hit.start), default=0)
        end = min((end for end in ends if end >= hit.end), default=len(text))
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    for start, end in reversed(spans):
        close = text[end - 1] if end and text[end - 1] in '"}\n>' else ""
        text = f"{text[:start]}{WITHHELD}{close}{text[end:]}"
    return text

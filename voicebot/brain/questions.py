"""What a graph waits for, as questions to the caller, and the caller's words as what it is resumed with.

`interrupt(value)` pauses a graph. A text is asked as it is; of a dict its question; LangChain's requests for approval
become "Send email, to Bob. Shall I go ahead?". Several are asked one after another; the graph goes on when all of
them are answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from langgraph.types import Command, Interrupt
from pydantic_core import to_jsonable_python
from text_to_num import text2num

from voicebot.brain.spoken_answer import SpokenAnswer, consent

GO_AHEAD = {
    "de": "Soll ich das machen?",
    "en": "Shall I go ahead?",
    "es": "¿Lo hago?",
    "fr": "Dois-je continuer ?",
    "it": "Procedo?",
    "nl": "Zal ik doorgaan?",
    "pt": "Posso continuar?",
}
QUESTION_KEYS = ("question", "message", "prompt", "query", "text", "instruction", "description", "title")
"""Where the question stands in a dict, the best first."""
OPTION_KEYS = ("options", "choices")
LANGCHAIN_SAYS = "Tool execution requires approval"
"""How LangChain's own description of a tool begins that waits for approval: made for a screen."""


class Unclear(Exception):
    """The words do not answer the question."""


Read = Callable[[str], Any]
"""The caller's words -> the value the graph gets. Raises Unclear."""


@dataclass(frozen=True)
class Question:
    text: str
    read: Read


@dataclass(frozen=True)
class _Asked:
    """One interrupt: its questions, and how their answers make the value that resumes it."""

    id: str
    questions: Sequence[Question]
    value: Callable[[list[Any]], Any]


class Questions:
    """What a paused graph waits for. Without an interrupt it waits at a breakpoint: then the caller is asked whether
    to go on, and anything but a clear yes is a new turn."""

    def __init__(self, interrupts: Sequence[Interrupt], language: str) -> None:
        self._language = language
        self._asked = [self._of(each) for each in interrupts]
        go_on = Question(self._go_ahead, lambda words: consent(words, language) is True)
        self._open = [question for asked in self._asked for question in asked.questions] or [go_on]
        self._answers: list[Any] = []

    @property
    def current(self) -> str:
        """What to ask now."""
        return self._open[len(self._answers)].text

    def answer(self, words: str) -> None:
        """Take the words for the answer to the current question. Raises Unclear."""
        self._answers.append(self._open[len(self._answers)].read(words))

    @property
    def is_done(self) -> bool:
        return len(self._answers) == len(self._open)

    @property
    def is_refused(self) -> bool:
        """The graph waited at a breakpoint and shall not go on."""
        return not self._asked and self._answers == [False]

    def settles(self, words: str) -> bool:
        """Whether the words surely are a whole answer: a yes or a no that leaves nothing to be added."""
        return consent(words, self._language) is not None

    def resume(self) -> Command[Any] | None:
        """What the graph goes on with, when all is answered: the answers by the interrupts' ids."""
        if not self._asked:
            return None
        answers = iter(self._answers)
        values = {asked.id: asked.value([next(answers) for _ in asked.questions]) for asked in self._asked}
        return Command(resume=values)

    # -- the shapes --------------------------------------------------------------------------------------------------

    def _of(self, interrupt: Interrupt) -> _Asked:
        value = to_jsonable_python(interrupt.value, fallback=str)
        if isinstance(value, dict) and isinstance(value.get("action_requests"), list):
            return _Asked(interrupt.id, list(self._reviews(value)), lambda decisions: {"decisions": decisions})
        if isinstance(value, dict) and value.get("type") == "tool_approval":
            return _Asked(interrupt.id, [self._review(value, _allowed(interrupt.response_schema))], _only)
        if _is_inbox(value):
            return _Asked(interrupt.id, [self._inbox(value)], _only)
        if isinstance(value, list) and value and all(_is_inbox(one) for one in value):
            return _Asked(interrupt.id, [self._inbox(one) for one in value], list)
        return _Asked(interrupt.id, [self._question(value, interrupt.response_schema)], _only)

    def _question(self, value: Any, schema: Any) -> Question:
        options = _options(value)
        text = _with_options(spoken(value) or self._go_ahead, options)
        if isinstance(schema, Mapping):
            return Question(text, partial(self._by_schema, schema))
        return Question(text, partial(self._free, options))

    def _free(self, options: Sequence[str], words: str) -> Any:
        answer = str(_chosen(options, words) or words.strip())
        return SpokenAnswer(answer, consent(answer, self._language))

    def _by_schema(self, schema: Mapping[str, Any], words: str) -> Any:
        """The words as the JSON schema that came with the interrupt wants them."""
        kind, properties = schema.get("type"), schema.get("properties") or {}
        if "enum" in schema:
            return _or_unclear(_chosen(schema["enum"], words))
        if kind == "boolean":
            return _or_unclear(consent(words, self._language))
        if kind in ("integer", "number"):
            return _number(words, whole=kind == "integer", language=self._language)
        if kind == "object" and len(properties) == 1:
            ((name, inner),) = properties.items()
            return {name: self._by_schema(inner, words)}
        return self._free((), words)

    # -- approvals ---------------------------------------------------------------------------------------------------

    def _reviews(self, request: Mapping[str, Any]) -> Iterator[Question]:
        """langchain.agents' HumanInTheLoopMiddleware: {"action_requests": [...], "review_configs": [...]}."""
        configs = request.get("review_configs") or ()
        allowed = {config.get("action_name"): config.get("allowed_decisions") or () for config in configs}
        for action in request["action_requests"]:
            yield self._review(action, allowed.get(action.get("name"), ()))

    def _review(self, action: Mapping[str, Any], allowed: Sequence[str]) -> Question:
        """'approve', 'reject' with the caller's words as the reason, or 'respond' with them, as far as `allowed`."""
        decisions: dict[bool | None, Any] = {}
        if "respond" in allowed:
            decisions = dict.fromkeys((True, False, None), partial(_response, "respond", "message"))
        if not allowed or "reject" in allowed:
            decisions |= {False: {"type": "reject"}, None: partial(_response, "reject", "message")}
        if not allowed or "approve" in allowed:
            decisions[True] = {"type": "approve"}
        return self._approval(self._proposal(action), decisions)

    def _inbox(self, request: Mapping[str, Any]) -> Question:
        """langgraph.prebuilt's HumanInterrupt: {"action_request": ..., "config": ..., "description": ...}."""
        action, config = request["action_request"], request.get("config") or {}
        decisions: dict[bool | None, Any] = {}
        if config.get("allow_respond", True):
            decisions = dict.fromkeys((True, False, None), partial(_response, "response", "args"))
        if config.get("allow_ignore", True):
            decisions[False] = {"type": "ignore", "args": None}
        if config.get("allow_accept", True):
            decisions[True] = {"type": "accept", "args": None}
        named = {"name": action.get("action"), "args": action.get("args"), "description": request.get("description")}
        return self._approval(self._proposal(named), decisions)

    def _approval(self, text: str, decisions: Mapping[bool | None, Any]) -> Question:
        """A question whose answer is one of `decisions`, made of the words where it is a function."""

        def read(words: str) -> Any:
            agrees = consent(words, self._language)
            if agrees not in decisions:
                raise Unclear
            decision = decisions[agrees]
            return decision(words.strip()) if callable(decision) else decision

        return Question(text, read)

    def _proposal(self, action: Mapping[str, Any]) -> str:
        described = str(action.get("description") or "").strip()
        if not described or described.startswith(LANGCHAIN_SAYS):
            described = _listed([_plain(str(action.get("name") or "")), *_pairs(action.get("args") or {}, " ")])
        return described if described.endswith("?") else f"{described.rstrip('.')}. {self._go_ahead}"

    @property
    def _go_ahead(self) -> str:
        return GO_AHEAD.get(self._language.partition("-")[0], GO_AHEAD["en"])


def _is_inbox(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("action_request"), dict)


def _allowed(schema: Any) -> list[str]:
    """The types of decision in the schema of an approval."""
    return re.findall(r"'const': '(\w+)'", str(schema))


# -- values in words -------------------------------------------------------------------------------------------------


def spoken(value: Any) -> str:
    """Any JSON value as something to say; '' for nothing."""
    if isinstance(value, Mapping):
        question = next((str(value[key]) for key in QUESTION_KEYS if isinstance(value.get(key), str)), "")
        return question.strip() or _listed(_pairs(value, " is "))
    if isinstance(value, list):
        return _listed(spoken(each) for each in value)
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return re.sub(r"\s+", " ", str(value)).strip()


def _pairs(values: Any, link: str) -> Iterator[str]:
    if not isinstance(values, Mapping):
        yield spoken(values)
        return
    for key, value in values.items():
        if words := spoken(value):
            yield f"{_plain(str(key))}{link}{words}"


def _listed(parts: Iterable[str]) -> str:
    text = ", ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _plain(name: str) -> str:
    """'send_email' or 'sendEmail' as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", name).lower()


def _options(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    found: list[Any] = next((value[key] for key in OPTION_KEYS if isinstance(value.get(key), list)), [])
    return [option for option in found if isinstance(option, str)]


def _with_options(text: str, options: Sequence[str]) -> str:
    unsaid = [option for option in options if option.casefold() not in text.casefold()]
    if not unsaid:
        return text
    *first, last = unsaid
    return f"{text} {', '.join(first)}{' or ' if first else ''}{last}?"


# -- words as values -------------------------------------------------------------------------------------------------


def _chosen(options: Iterable[Any], words: str) -> Any:
    """The option that the words name, if it is one only."""
    said = f" {_bare(words)} "
    named = {_bare(str(option)): option for option in options if f" {_bare(str(option))} " in said}
    longest = [option for text, option in named.items() if not any(text in other for other in named if other != text)]
    return longest[0] if len(longest) == 1 else None


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ")))


def _number(words: str, *, whole: bool, language: str) -> int | float:
    text = re.sub(r"[^\w.,\s-]", "", words.casefold()).strip(" .,")
    if found := re.findall(r"-?\d+(?:\.\d+)?", text):
        if len(found) == 1 and not (whole and "." in found[0]):
            return int(found[0]) if whole else float(found[0])
        raise Unclear
    try:
        return int(text2num(text, language.partition("-")[0]))
    except ValueError:
        raise Unclear from None


def _or_unclear(value: Any) -> Any:
    if value is None:
        raise Unclear
    return value


def _response(kind: str, key: str, words: str) -> dict[str, str]:
    return {"type": kind, key: words}


def _only(answers: list[Any]) -> Any:
    return answers[0]

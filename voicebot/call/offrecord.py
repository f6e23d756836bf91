"""What of a call is not kept: card numbers, and whatever else is said while its record is paused.

While it is paused, the recording is silent on both sides, and events have neither the caller's words nor what tools
were given and gave. Values that are secret are taken out of all events for the rest of the call, however they are
spelled: "4711" is "47-11" is "four seven one one".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from voicebot import events

AnyEvent = TypeVar("AnyEvent", bound=events.Event)

NOT_KEPT = "[not recorded]"
"""Stands for what was said while the record was paused."""
SHORTEST = 3
"""A secret of fewer letters or digits is in too many innocent words to be taken out."""
_BETWEEN = r"[\s.,/-]*"
_DIGITS = (
    "zero oh null cero zéro nul", "one eins uno un een um", "two zwei zwo dos deux due twee dois",
    "three drei tres trois tre drie três", "four vier cuatro quatre quattro quatro", "five fünf cinco cinq cinque vijf",
    "six sechs seis sei zes", "seven sieben siete sept sette zeven sete", "eight acht ocho huit otto oito",
    "nine neun nueve neuf nove negen",
)  # fmt: skip
"""The words of each digit in the languages that agents speak, one after the other."""
_VALUES = {word: str(digit) for digit, words in enumerate(_DIGITS) for word in words.split()}
_SIGN = rf"(?:\d|\b(?:{'|'.join(_VALUES)})\b)"
_NUMBER = re.compile(rf"{_SIGN}(?:{_BETWEEN}{_SIGN}){{{SHORTEST - 1},}}", re.IGNORECASE)
_TEN = "0123456789"
_CALLERS: dict[type, tuple[str, ...]] = {
    events.TranscriptInterim: ("text",),
    events.TranscriptFinal: ("text",),
    events.TurnEnded: ("text",),
    events.KeysPressed: ("keys",),
    events.ToolCalled: ("arguments",),
    events.ToolReturned: ("result",),
}
"""Fields of which nothing is told while the record is paused."""
_AGENTS = ("text", "heard", "said", "arguments", "result", "slots", "error", "detail", "keys", "reason")
"""Fields in which a secret may stand at any time."""


class OffRecord:
    """One call's. Plain calls on the event loop."""

    def __init__(self) -> None:
        self._why: set[str] = set()
        self._secrets: dict[str, re.Pattern[str]] = {}

    @property
    def on(self) -> bool:
        """Whether the record is paused."""
        return bool(self._why)

    def pause(self, why: str) -> bool:
        """Whether that changed anything. It lasts until each `why` is over."""
        was = self.on
        self._why.add(why)
        return not was

    def resume(self, why: str) -> bool:
        """Whether that changed anything."""
        was = self.on
        self._why.discard(why)
        return was and not self.on

    def learn(self, secret: object) -> None:
        """This value is told in no event from now on."""
        signs = re.findall(r"\w", str(secret)) if isinstance(secret, str | int) else []
        if len(signs) >= SHORTEST:
            self._secrets.setdefault("".join(signs), _pattern(signs))

    def _learn_numbers(self, said: str) -> None:
        """A number that was said while nothing was to be kept may come back later: in what a tool is given."""
        for number in _NUMBER.findall(said):
            self.learn("".join(_VALUES.get(part.lower(), part) for part in re.findall(r"\d|[^\W\d]+", number)))

    def sound(self, pcm: bytes) -> bytes:
        """As it may be recorded."""
        return bytes(len(pcm)) if self.on else pcm

    def event(self, event: AnyEvent) -> AnyEvent:
        """As it may be told."""
        changed: dict[str, Any] = {}
        if self.on and isinstance(event, events.TurnEnded | events.KeysPressed):
            self._learn_numbers(event.text if isinstance(event, events.TurnEnded) else event.keys)
        if self._secrets:
            for name in _AGENTS:
                value = getattr(event, name, None)
                if value and (clean := deeply(value, self.hide, numbers=True)) != value:
                    changed[name] = clean
        if self.on and not (isinstance(event, events.KeysPressed) and event.side == "agent"):
            changed |= {name: deeply(getattr(event, name), _nothing) for name in _CALLERS.get(type(event), ())}
        return cast(AnyEvent, event.model_copy(update=changed)) if changed else event

    def hide(self, text: str) -> str:
        """A text without the values that are secret. On any thread."""
        for pattern in list(self._secrets.values()):
            text = pattern.sub(NOT_KEPT, text)
        return text


def _pattern(signs: list[str]) -> re.Pattern[str]:
    """All of it, or where a text breaks off its beginning: what was heard of a sentence that was interrupted."""
    spelled = [f"(?:{'|'.join([each, *_DIGITS[int(each)].split()])})" if each in _TEN else each for each in signs]
    rest = ""
    for each in reversed(spelled[SHORTEST:]):
        rest = f"(?:{_BETWEEN}{each}{rest})?"
    whole, begun = _BETWEEN.join(spelled), _BETWEEN.join(spelled[:SHORTEST]) + rest
    return re.compile(rf"(?<!\w)(?:{whole}(?!\w)|{begun}(?=\W*$))", re.IGNORECASE)


def _nothing(text: str) -> str:
    return NOT_KEPT if text else text


def deeply(value: Any, change: Callable[[str], str], *, numbers: bool = False) -> Any:
    """`value` with every text in it changed, at any depth; keys stay as they are. With `numbers`, those whose digits
    are changed become texts."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: deeply(each, change, numbers=numbers) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [deeply(each, change, numbers=numbers) for each in value]
    if numbers and isinstance(value, int) and not isinstance(value, bool) and change(str(value)) != str(value):
        return change(str(value))
    return value

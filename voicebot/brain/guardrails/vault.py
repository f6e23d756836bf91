"""The private values of one call and the placeholders that stand for them: "[card 1]". In memory only."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args

from voicebot.agent.guardrails import PiiKind

Origin = Literal["caller", "results"]
_GROWING = frozenset({"card", "ssn", "iban", "phone"})
"""Numbers that may be told bit by bit."""
_KINDS = "|".join(kind.replace("_", "[ _]") for kind in get_args(PiiKind))
PLACEHOLDER = re.compile(rf"\[\s*({_KINDS})[ _]?(\d{{1,4}})\s*\]", re.IGNORECASE)


class Vault:
    """Which value each placeholder stands for, and who told it."""

    def __init__(self) -> None:
        self._values: dict[str, list[str]] = {}
        self._told: set[tuple[str, int]] = set()
        """(kind, number) of what the caller has said."""

    def placeholder(self, kind: PiiKind, value: str, origin: Origin) -> str:
        """What stands for a value: the same for the same value, also when more of its digits have become known."""
        values = self._values.setdefault(kind, [])
        number = next((number for number, known in enumerate(values) if _is_same(kind, known, value)), None)
        if number is None:
            number = len(values)
            values.append(value)
        elif len(value) > len(values[number]):
            values[number] = value
        if origin == "caller":
            self._told.add((kind, number))
        return f"[{kind} {number + 1}]"

    def was_told(self, kind: PiiKind, value: str) -> bool:
        """Whether the caller has said this value."""
        values = self._values.get(kind, [])
        return any((kind, number) in self._told and _is_same(kind, known, value) for number, known in enumerate(values))

    def find(self, match: re.Match[str]) -> tuple[PiiKind, str, bool] | None:
        """(kind, value, whether the caller told it) of a match of PLACEHOLDER; None for one that was made up."""
        kind: Any = match[1].lower().replace(" ", "_")
        number = int(match[2]) - 1
        values = self._values.get(kind, [])
        return (kind, values[number], (kind, number) in self._told) if 0 <= number < len(values) else None

    def hide(self, text: str, *, but: Collection[str] = ()) -> str:
        """The text with placeholders for all values of this call that are written out in it, `but` for those."""
        known = {
            value.casefold(): f"[{kind} {number + 1}]"
            for kind, values in list(self._values.items())
            for number, value in enumerate(list(values))
            if value.casefold() not in but
        }
        if not known:
            return text
        values = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
        found = re.compile(rf"(?<!\w)(?:{values})(?!\w)", re.IGNORECASE)
        return found.sub(lambda match: known[match[0].casefold()], text)

    def restore(self, value: Any) -> Any:
        """The same value with all placeholders in its texts replaced, at any depth."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda match: (self.find(match) or ("", match[0], False))[1], value)
        if isinstance(value, Mapping):
            return {self.restore(key): self.restore(each) for key, each in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self.restore(each) for each in value]
        return value


def disarm(text: str) -> str:
    """A text from outside in which nothing looks like a placeholder: only the guard itself writes those."""
    return PLACEHOLDER.sub(lambda match: f"({match[0][1:-1]})", text) if "[" in text else text


def _is_same(kind: str, known: str, value: str) -> bool:
    if known.casefold() == value.casefold():
        return True
    if kind == "phone":
        return _national(known) == _national(value) and len(_national(value)) >= 7
    begun = min(len(known), len(value))
    return kind in _GROWING and begun >= 3 and known[:begun] == value[:begun] and begun != len(value)


def _national(number: str) -> str:
    """The digits that do not depend on whether the country was said."""
    return re.sub(r"\D", "", number)[-10:]

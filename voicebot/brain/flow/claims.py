"""What a language model claims to have understood of a turn: typed, limited to what the flow knows, not yet believed.

The model fills in one tool, `understood`; its JSON schema comes from the flow and is the same for the whole call, so
that providers can cache it. What a claim is worth is decided in `second.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from voicebot.flow import Flow, Slot

UNDERSTOOD = "understood"
"""The name of the tool."""

Act = Literal[
    "tells", "asks", "yes", "no", "gives_up", "rather_not_say", "repeat", "wants_person", "says_goodbye", "unclear"
]

_ACT = (
    "tells: says what they want or answers the question. asks: asks something or talks of something else. yes, no: "
    "to the agent's question. gives_up: wants the present matter dropped. rather_not_say: does not want to answer. "
    "repeat: wants to hear the last words again. wants_person: wants to talk to a person. says_goodbye. unclear."
)
_SAY = (
    "Only when the caller asks or remarks something beside the agent's question: one or two short sentences that "
    "answer it, in the caller's language, from what you know. Never a question. Otherwise leave it out."
)
_FORMATS = {
    "date": "A day as YYYY-MM-DD.",
    "time": "A time of day as 24-hour HH:MM.",
    "number": "A number in digits.",
    "money": "An amount in digits, without the currency.",
    "phone": "A phone number in digits, with + and the country code if the caller said it.",
    "name": "A person's name as it is written.",
    "code": "The code in digits and capitals, without blanks.",
    "text": "The caller's own words.",
}
_WISHES = {
    "date": ' "any" for a caller who leaves it open.',
    "time": ' Also "any", "morning", "afternoon", "evening", "after HH:MM", "before HH:MM".',
}


@dataclass(frozen=True)
class Claims:
    """One turn of the caller, as a model puts it."""

    act: Act = "unclear"
    goal: str | None = None
    slots: Mapping[str, str] = field(default_factory=dict)
    """slot -> a value, not validated yet."""
    wrong: tuple[str, ...] = ()
    """Slots the caller says are wrong without saying what is right."""
    say: str = ""
    """The model's own words to the caller."""

    @classmethod
    def of(cls, arguments: Mapping[str, Any], flow: Flow) -> Claims:
        """From the tool's arguments. What the flow does not know, or what has the wrong type, is left out."""
        act, goal, slots, wrong, say = (arguments.get(key) for key in ("act", "goal", "slots", "wrong", "say"))
        return cls(
            cast(Act, act) if act in get_args(Act) else "unclear",
            goal if isinstance(goal, str) and goal in flow.goals else None,
            dict(_values(slots, flow)) if isinstance(slots, Mapping) else {},
            tuple(each for each in flow.slots if each in wrong) if isinstance(wrong, list) else (),
            say if isinstance(say, str) else "",
        )


def _values(slots: Mapping[Any, Any], flow: Flow) -> Iterator[tuple[str, str]]:
    for name, value in slots.items():
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if plain and name in flow.slots and (said := str(value).strip()):
            yield name, said


def understood(flow: Flow) -> dict[str, Any]:
    """The tool, in OpenAI's shape. What is to be spoken comes last, so that it can be spoken as it is written."""
    goals = "; ".join(f"{name}: {goal.title}" for name, goal in flow.goals.items())
    slots = {name: _slot(slot) for name, slot in flow.slots.items()}
    properties = {
        "act": {"type": "string", "enum": list(get_args(Act)), "description": _ACT},
        "goal": {
            "type": "string",
            "enum": list(flow.goals),
            "description": f"What the caller wants now, if their last words say so. {goals}.",
        },
        "slots": {
            "type": "object",
            "properties": slots,
            "additionalProperties": False,
            "description": "Only what the caller's last words say; nothing guessed, nothing from before.",
        },
        "wrong": {
            "type": "array",
            "items": {"type": "string", "enum": list(flow.slots)},
            "description": "What the caller says is wrong without saying what is right.",
        },
        "say": {"type": "string", "description": _SAY},
    }
    if not slots:
        properties = {key: spec for key, spec in properties.items() if key not in ("slots", "wrong")}
    parameters = {"type": "object", "properties": properties, "required": ["act"], "additionalProperties": False}
    about = "Report what the caller's last words mean."
    return {"type": "function", "function": {"name": UNDERSTOOD, "description": about, "parameters": parameters}}


def _slot(slot: Slot) -> dict[str, Any]:
    if slot.type == "choice":
        ways = "; ".join(f"{value}: {', '.join(others)}" for value, others in slot.values.items() if others)
        return {"type": "string", "enum": list(slot.values), "description": f"{slot.ask} {ways}".strip()}
    form = _FORMATS[slot.type] + (_WISHES[slot.type] if slot.wishes else "")
    if slot.length:
        form += f" {slot.length} characters."
    return {"type": "string", "description": f"{slot.ask} {form}"}

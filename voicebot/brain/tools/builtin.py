"""The tools that every agent can have without writing them: hanging up, passing the caller on, pressing keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from pydantic import Field

from voicebot.agent import Handoff
from voicebot.brain import Discreet, HandOver, HangUp, PressKeys
from voicebot.brain.tools.function import Function
from voicebot.brain.tools.tool import Tool
from voicebot.errors import did_you_mean

END_CALL = "end_call"
HAND_OVER = "hand_over"
PRESS_KEYS = "press_keys"
PAUSE_RECORDING = "pause_recording"
ENDINGS = frozenset({END_CALL, HAND_OVER})
"""After these nothing more has to be said."""

LONGEST = 32
"""Keys that one tool call may press."""


def end_call() -> Tool:
    """Hangs up."""

    def end_call(reason: str = "") -> HangUp:
        """Hang up. Say goodbye in the same answer. Only when the caller has nothing more to ask or says goodbye."""
        return HangUp(reason)

    return _built_in(end_call)


def hand_over(targets: Sequence[Handoff] = ()) -> Tool:
    """Passes the caller on to one of `targets`, by default the first; without any, to whomever the model names."""
    names = [target.to for target in targets]
    default_to = names[0] if len(names) == 1 else ""

    def hand_over(to: str = default_to, reason: str = "") -> HandOver:
        """Pass the caller on to a person or another agent, when they ask for one or you cannot help."""
        if len(names) == 1:
            return HandOver(default_to, reason)
        if not to:
            raise ValueError(f"it has to be said to whom.{did_you_mean(to, names)}")
        if names and to not in names:
            raise ValueError(f"there is no '{to}' to pass the caller on to.{did_you_mean(to, names)}")
        if not names and (any(each.isdigit() for each in to) or ":" in to):
            raise ValueError("name a person or a desk, not a number: this agent's file has no number to pass on to.")
        return HandOver(to, reason)

    tool = _built_in(hand_over)
    whom = [f"{target.to}: {target.when}" if target.when else target.to for target in targets]
    if len(names) > 1 or any(target.when for target in targets):
        tool = replace(tool, description=f"{tool.description} You can pass on to:\n" + "\n".join(whom))
    if len(names) > 1:
        to = {"type": "string", "enum": names}
        shape = {**tool.parameters, "properties": {**tool.parameters["properties"], "to": to}, "required": ["to"]}
        tool = replace(tool, parameters=shape)
    return tool


def press_keys() -> Tool:
    """Sends touch tones: for a menu or an extension on the other side."""

    def press_keys(keys: Annotated[str, Field(pattern=rf"^[0-9*#w]{{1,{LONGEST}}}$")]) -> PressKeys:
        """Press keys of the telephone: for a menu or an extension on the other side of the line.

        Digits, * and #; w waits for half a second.
        """
        return PressKeys(keys)

    return _built_in(press_keys)


def pause_recording() -> Tool:
    """Stops keeping a record while the caller says what nobody may keep, and goes on with it."""

    def pause_recording(paused: bool = True) -> Discreet:
        """Pause the recording of this call, or go on with it. Pause it before you ask for a card number or a password,
        and go on as soon as you have it."""
        return Discreet(paused)

    return _built_in(pause_recording)


def hand_over_words(targets: Sequence[Handoff], turn: Sequence[AnyMessage]) -> str:
    """What is said for a model that handed the caller over in `turn` and said nothing; else ''."""
    done = [each.tool_call_id for each in turn if isinstance(each, ToolMessage) and each.status == "success"]
    answers = [message for message in turn if isinstance(message, AIMessage)]
    if not targets or any(message.text.strip() for message in answers):
        return ""
    for call in (call for message in answers for call in message.tool_calls):
        if call["name"] == HAND_OVER and call["id"] in done:
            return next((each.say for each in targets if each.to == call["args"].get("to")), targets[0].say)
    return ""


OPTIONAL: dict[str, Callable[[], Tool]] = {PRESS_KEYS: press_keys, PAUSE_RECORDING: pause_recording}
"""Those that an agent has only when its file lists them."""


def _built_in(function: Callable[..., Any]) -> Tool:
    return replace(Function.of(function, function.__name__), place="")

"""The answer to "what can I do for you?" and "anything else?"."""

from __future__ import annotations

from voicebot.brain.nlu.acts import clear_no, clear_yes

from . import trouble
from .heard import Heard
from .progress import anything_else, ask_goal, begin
from .state import Asking, Move
from .taking import CLEAR, MAYBE, SURE, begin_with_values, digress, take
from .turn import Turn

_SLIPS = 2
"""Words that may be misheard in a no."""
_COMPLAINTS = frozenset(("wrong", "incorrect", "mistake", "right", "correct", "change"))
"""What is said of something that is not as it should be: no end of the call."""


def to_goal(turn: Turn, heard: Heard) -> Move:
    digression = digress(turn, heard)
    if digression:
        return digression
    goals = [each for each in heard.intents if each.label.startswith("goal:")]
    if goals and goals[0].score >= MAYBE:
        close = [each for each in goals[:3] if goals[0].score - each.score < CLEAR]
        if len(close) > 1 and goals[0].score < 0.97:
            return _which_goal(turn, heard, [each.label.partition(":")[2] for each in close])
        if goals[0].score >= SURE or _is_told(heard, goals[0].score):
            return begin_with_values(turn, heard, goals[0].label.partition(":")[2])
        name = goals[0].label.partition(":")[2]
        if set(heard.values) & _only_in(turn, name):
            return begin_with_values(turn, heard, name)
        return _which_goal(turn, heard, [name])
    if take(turn, heard, echo=False):
        return _goal_of_values(turn) or ask_goal(turn)
    if "drop" in heard.acts or clear_no(heard.acts):
        return anything_else(turn) if turn.state.step != "start" else turn.again()
    if heard.acts.only("yes", "thanks", "correct"):
        return turn.again() if turn.state.question else ask_goal(turn)
    turn.state.question = turn.state.question or turn.phrases.ask_goal
    return trouble.miss(turn)


def _is_told(heard: Heard, score: float) -> bool:
    """Values beside a fairly likely goal make it sure enough: everything is confirmed before anything is done."""
    return bool(heard.values) and score >= (MAYBE + SURE) / 2


def _goal_of_values(turn: Turn) -> Move | None:
    """The only goal that needs what was said."""
    for name in turn.flow.goals:
        if set(turn.state.slots) & _only_in(turn, name):
            return begin(turn, name)
    return None


def _only_in(turn: Turn, name: str) -> set[str]:
    """The slots that no other goal asks for."""
    others = {slot for other, goal in turn.flow.goals.items() if other != name for slot in goal.ask}
    return set(turn.flow.goals[name].ask) - others


def _which_goal(turn: Turn, heard: Heard, names: list[str]) -> Move:
    take(turn, heard, echo=False)
    titles = [turn.flow.goals[name].title for name in names]
    if len(titles) == 1:
        question = f"Would you like to {titles[0]}?"
    else:
        question = f"Would you like to {', '.join(titles[:-1])} or {titles[-1]}?"
    return turn.ask(question, Asking("pick", None, options=names), "start")


def to_more(turn: Turn, heard: Heard) -> Move:
    """After "anything else?"."""
    goals = [each for each in heard.intents if each.label.startswith("goal:") and each.score >= MAYBE]
    if not goals and (clear_no(heard.acts) or heard.acts.only("thanks", "bye", "no", "drop")):
        return turn.end(turn.phrases.goodbye, "done")
    if clear_yes(heard.acts):
        return ask_goal(turn)
    if not goals and _is_no_with_a_slip(heard):
        return digress(turn, heard) or turn.end(turn.phrases.goodbye, "done")
    return to_goal(turn, heard)


def _is_no_with_a_slip(heard: Heard) -> bool:
    """A no of which a word or two were misheard ("no that's a receipt"). Here it ends nothing but the call."""
    rest = len(heard.acts.rest)
    allowed = {"no", "thanks", "bye", "drop", "filler"}
    fits = "no" in heard.acts and all(each.label in allowed for each in heard.acts.found)
    complains = bool(_COMPLAINTS & set(heard.utterance.tokens))
    return fits and rest <= _SLIPS and not (complains or heard.values or heard.named or heard.looks_like_question)

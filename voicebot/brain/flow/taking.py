"""What can be said at almost any question: values, another goal, something beside the matter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voicebot.brain.nlu import times

from .doubt import ask_otherwise, heard_again
from .heard import Heard
from .progress import advance, ask_slot, drop
from .state import Asking, Move
from .turn import Turn

SURE = 0.74
"""Likeness to an example from which a goal, an answer or small talk is taken as meant."""
ANSWER = 0.66
"""The same for an answer, when a question was asked."""
MAYBE = 0.45
"""Likeness from which it is worth asking whether it was meant."""
CLEAR = 0.1
"""How much likelier than another goal."""


def values_or_digression(turn: Turn, heard: Heard) -> Move | None:
    """A digression where the words are one, else the values that were said; None when there is neither."""
    digression = digress(turn, heard)
    if digression:
        return digression
    other = other_goal(turn, heard)
    if other and not _expected_value(turn, heard):
        return begin_with_values(turn, heard, other)
    repeated = refused_again(turn, heard)
    if repeated:
        return repeated
    changed = take(turn, heard)
    if changed is None:
        return None
    return ask_which(turn, heard) or advance(turn)


def refused_again(turn: Turn, heard: Heard) -> Move | None:
    """When a value was heard that the caller has refused; whatever else was said counts."""
    slot = heard_again(turn, heard)
    if slot is None:
        return None
    others = {name: mention for name, mention in heard.values.items() if name != slot}
    take(turn, replace(heard, values=others), echo=False)
    return ask_otherwise(turn, slot, heard.values[slot].value)


def _expected_value(turn: Turn, heard: Heard) -> bool:
    return turn.state.asking.slot in heard.values


def take(turn: Turn, heard: Heard, *, echo: bool = True) -> list[str] | None:
    """Fill the goal's slots with what was said; the slots that changed, or None when nothing was said for any."""
    goal, state = turn.goal, turn.state
    wanted = goal.ask if goal else list(turn.flow.slots)
    said = {slot: mention for slot, mention in heard.values.items() if slot in wanted}
    denied = [slot for slot, mention in heard.denied.items()
              if slot in wanted and slot not in said and mention.value == state.slots.get(slot)]  # fmt: skip
    if not said and not denied:
        return None
    changed = []
    for slot, mention in said.items():
        before = state.slots.get(slot)
        if before == mention.value and before is not None:
            continue
        if times.is_wish(mention.value) and not _may_wish(turn, slot):
            continue
        turn.keep(slot, mention)
        changed.append(slot)
        if echo and before is not None and mention.value is not None and not times.is_wish(mention.value):
            turn.prefix.append(f"All right, {turn.spoken(slot, mention.value)}.")
    for slot in denied:
        turn.forget(slot)
    state.misses = 0
    return [*changed, *denied]


def _may_wish(turn: Turn, slot: str) -> bool:
    """A wish takes the place of nothing, or of what was just asked; and only where the checks understand wishes."""
    spec = turn.slot(slot)
    if spec.type not in ("date", "time"):
        return True
    return spec.wishes and (turn.state.slots.get(slot) is None or turn.state.asking.slot == slot)


def ask_which(turn: Turn, heard: Heard) -> Move | None:
    """For a value with several readings."""
    for slot, mention in heard.values.items():
        if mention.options and turn.goal and slot in turn.goal.ask:
            return which(turn, slot, list(mention.options))
    return None


def which(turn: Turn, slot: str, options: list[Any]) -> Move:
    question = turn.phrases.which.replace("{options}", turn.options_listed(slot, options))
    return turn.ask(question, Asking("pick", slot, options=options), f"{turn.state.goal}.{slot}")


def digress(turn: Turn, heard: Heard) -> Move | None:
    """Small talk or a question the knowledge answers; then back to the open question."""
    best = heard.intents[0] if heard.intents else None
    if best is None or best.label.startswith("goal:"):
        best = _question(heard)
    if best is None or best.score < (ANSWER if heard.looks_like_question else SURE):
        return None
    kind, _, place = best.label.partition(":")
    if kind == "talk":
        if heard.values or ("yes" in heard.acts and not heard.acts.rest):
            return None
        return turn.again(turn.flow.small_talk[int(place)].say)
    if _expected_value(turn, heard) and not heard.looks_like_question:
        return None
    turn.state.misses = 0
    return turn.again(turn.rails.knowledge.passages[int(place)].spoken)


def _question(heard: Heard) -> Any:
    """An answer that is nearly as likely as the likest goal, when a question was asked."""
    known = heard.best("answer")
    goal = heard.best("goal")
    if known and heard.looks_like_question and goal and known.score > goal.score - 0.02:
        return known
    return None


def other_goal(turn: Turn, heard: Heard) -> str | None:
    """Another goal, when it is clearly what the caller wants now."""
    best = heard.best("goal")
    if best is None or best.score < SURE or best is not heard.intents[0]:
        return None
    name = best.label.partition(":")[2]
    runner_up = [each for each in heard.intents if each.label.startswith("goal:")][1:2]
    if name == turn.state.goal or (runner_up and best.score - runner_up[0].score < CLEAR):
        return None
    return name


def begin_with_values(turn: Turn, heard: Heard, name: str) -> Move:
    """Start a goal; values said in the same breath count for it."""
    if turn.state.goal and turn.state.goal != name:
        drop(turn)
    turn.state.goal = name
    turn.state.misses = 0
    turn.state.facts, turn.state.checked, turn.state.refused = {}, {}, []
    take(turn, heard, echo=False)
    if turn.flow.goals[name].say:
        turn.prefix.append(turn.flow.goals[name].say)
    return ask_which(turn, heard) or advance(turn)


def ask_again(turn: Turn, named: tuple[str, ...]) -> Move:
    turn.forget(named[0])
    turn.state.misses = 0
    if len(named) > 1:
        return turn.ask(turn.phrases.change, Asking("change"), f"{turn.state.goal}.change")
    return ask_slot(turn, named[0])

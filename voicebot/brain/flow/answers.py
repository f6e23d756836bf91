"""The answer to each kind of open question."""

from __future__ import annotations

from voicebot.brain.nlu.acts import clear_no, clear_yes

from . import doubt, trouble
from .confirming import to_change, to_confirm
from .goals import to_goal, to_more
from .heard import Heard
from .picking import to_pick
from .progress import advance
from .state import Asking, Move
from .taking import ask_again, values_or_digression
from .turn import Turn


def answer(turn: Turn, heard: Heard) -> Move:
    """The move after a turn with words in it."""
    kind = turn.state.asking.kind
    if kind == "confirm":
        return to_confirm(turn, heard)
    if kind == "pick":
        return to_pick(turn, heard)
    if kind == "person":
        return to_person(turn, heard)
    if kind == "change":
        return to_change(turn, heard)
    if kind == "more":
        return to_more(turn, heard)
    if kind == "slot":
        return to_slot(turn, heard)
    return to_goal(turn, heard)


def to_slot(turn: Turn, heard: Heard) -> Move:
    name = str(turn.state.asking.slot)
    slot = turn.slot(name)
    right_after_all = doubt.accepted(turn, heard)
    if right_after_all:
        return right_after_all
    asks_back = bool(turn.words) and heard.looks_like_question
    if slot.type == "text" and heard.acts.rest and not asks_back:
        turn.state.slots[name] = heard.utterance.raw.strip()
        return advance(turn)
    if heard.acts.only("drop") and not heard.values:
        return trouble.leave(turn)
    if "refuse" in heard.acts and name not in heard.values:
        return trouble.refused(turn, name)
    if "why" in heard.acts and heard.acts.only("why", "correct") and not heard.values:
        return turn.again(slot.why or turn.phrases.need_it)
    if slot.wishes and name not in heard.values and heard.acts.only("any", "unsure"):
        turn.state.slots[name] = "any"
        return advance(turn)
    if heard.partial and slot.type in ("phone", "code") and name not in heard.values:
        return _unfinished(turn, heard)
    moved = values_or_digression(turn, heard)
    if moved:
        return moved
    if "drop" in heard.acts:
        return trouble.leave(turn)
    if heard.named and "correct" in heard.acts:
        return ask_again(turn, heard.named)
    if clear_no(heard.acts) and not slot.required:
        return trouble.refused(turn, name)
    if heard.acts.only("yes", "thanks", "correct"):
        return turn.again()
    return trouble.miss(turn)


def _unfinished(turn: Turn, heard: Heard) -> Move:
    """Digits that are not a whole number yet: they may go on in the next turn."""
    slot = turn.slot(str(turn.state.asking.slot))
    too_long = len(heard.partial) > (slot.length or 11)
    turn.state.partial = "" if too_long or turn.state.partial else heard.partial
    hint = turn.phrases.bad_phone if slot.type == "phone" else turn.phrases.bad_code
    return trouble.miss(turn, turn.text(hint, length=slot.length))


def to_person(turn: Turn, heard: Heard) -> Move:
    """After "shall I put you through?"."""
    state = turn.state
    if clear_yes(heard.acts):
        return turn.hand_over("not understood")
    asking = state.waiting or Asking("goal")
    state.asking, state.waiting = asking, None
    if clear_no(heard.acts):
        state.misses = 1
        return turn.again("All right.")
    before = state.misses
    move = answer(turn, heard)
    understood = int(move.state["misses"]) < before
    return move if understood else turn.hand_over("not understood")

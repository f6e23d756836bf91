"""Values that the caller has refused: what is heard again after that is no answer, and nobody is asked for ever."""

from __future__ import annotations

from typing import Any

from . import trouble
from .heard import Heard
from .progress import advance, ask_slot
from .state import Move
from .turn import Turn

PATIENCE = 3
"""Confirmations of a goal that are refused without progress before a person takes over."""


def turned_down(turn: Turn, heard: Heard, *wrong: str) -> Move | None:
    """Count a refused confirmation, and note which slots it was refused for; a move when that was once too often."""
    turn.state.refusals += 1
    note(turn, heard, *wrong)
    return trouble.pass_on(turn) if turn.state.refusals >= PATIENCE else None


def note(turn: Turn, heard: Heard, *wrong: str) -> None:
    """Remember the values that these slots cannot have. A slot that is put right for the first time is progress.

    A value that another one has taken the place of may come back (callers change their minds), except a name.
    """
    state = turn.state
    if any(slot not in state.rejected for slot in wrong):
        state.refusals = 0
    for slot in wrong:
        state.rejected.setdefault(slot, [])
        if slot not in heard.values or turn.slot(slot).type == "name":
            turn.reject(slot)


def heard_again(turn: Turn, heard: Heard) -> str | None:
    """The slot for which a value was heard that the caller has refused, earlier or with these very words."""
    slots = turn.state.slots
    wanted = turn.goal.ask if turn.goal else []
    said = {slot: each.value for slot, each in heard.values.items() if slot in wanted and each.value is not None}
    for slot, value in said.items():
        if value != slots.get(slot) and _rejected(turn, slot, value) is not None:
            return slot
    alike = [slot for slot, value in said.items() if slot in slots and _alike(slots[slot], value)]
    return alike[0] if _insists(turn, heard) and len(said) == 1 and alike else None


def _insists(turn: Turn, heard: Heard) -> bool:
    """ "no, anna wilson" to a question that has just said so."""
    kind = turn.state.asking.kind
    return "yes" not in heard.acts and (kind == "change" or (kind == "confirm" and "no" in heard.acts))


def ask_otherwise(turn: Turn, slot: str, value: Any) -> Move:
    """Say what is being heard and ask another way, once; the second time a person takes over."""
    known = _rejected(turn, slot, value)
    doubted = turn.state.slots.get(slot) if known is None else known
    turn.reject(slot)
    turn.forget(slot)
    if slot in turn.state.doubted:
        return trouble.pass_on(turn)
    turn.state.doubted.append(slot)
    turn.state.misses = 0
    turn.prefix.append(turn.phrases.keep_hearing.replace("{value}", turn.spoken(slot, doubted)))
    return ask_slot(turn, slot, _other_way(turn, slot, doubted), doubted=doubted)


def _other_way(turn: Turn, slot: str, doubted: Any) -> str:
    spec = turn.slot(slot)
    if spec.type == "name":
        return turn.phrases.spell_first if " " in str(doubted) else turn.phrases.spell
    own = slot in turn.goal.questions if turn.goal else False
    return turn.text(spec.reask[0]) if spec.reask and not own else ""


def accepted(turn: Turn, heard: Heard) -> Move | None:
    """A yes to "I keep hearing ...": it was right after all. It is confirmed once more before anything is done."""
    asking = turn.state.asking
    slot, doubted = str(asking.slot), asking.doubted
    if doubted is None or "yes" not in heard.acts or "no" in heard.acts or "not" in heard.acts:
        return None
    if any(each != slot or not _alike(doubted, mention.value) for each, mention in heard.values.items()):
        return None
    if not heard.values and heard.acts.rest:
        return None
    if not heard.values and _may_go_on_to_spell(turn, heard):
        turn.state.misses += 1
        return turn.again()
    turn.state.slots[slot] = doubted
    turn.state.misses = 0
    return advance(turn)


def _may_go_on_to_spell(turn: Turn, heard: Heard) -> bool:
    """ "sure" to "could you spell it?" does not say that it was right; said twice, or "that's right", it does."""
    is_name = turn.slot(str(turn.state.asking.slot)).type == "name"
    return is_name and not turn.state.misses and not {"right", "correct"} & set(heard.utterance.tokens)


def _rejected(turn: Turn, slot: str, value: Any) -> Any:
    """The refused value that this is, or None."""
    return next((each for each in turn.state.rejected.get(slot, []) if _alike(each, value)), None)


def _alike(refused: Any, value: Any) -> bool:
    """Whether it is that value, or a part of that name."""
    if isinstance(refused, str) and isinstance(value, str):
        return set(value.lower().split()) <= set(refused.lower().split())
    return bool(refused == value)

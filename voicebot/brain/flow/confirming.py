"""The last yes, and what comes instead of it."""

from __future__ import annotations

from voicebot.brain.nlu.acts import clear_no, clear_yes

from . import doubt, trouble
from .doubt import turned_down
from .heard import Heard
from .progress import advance, confirm, do
from .state import Asking, Move
from .taking import ask_again, ask_which, begin_with_values, digress, other_goal, refused_again, take
from .turn import Turn


def to_confirm(turn: Turn, heard: Heard) -> Move:
    wrong = _wrong(turn, heard)
    if wrong:
        return refused_again(turn, heard) or turned_down(turn, heard, *wrong) or _put_right(turn, heard)
    if _agrees(turn, heard):
        return do(turn) if turn.state.asking.heard else confirm(turn)
    if "drop" in heard.acts and not _is_the_goal_itself(turn, heard):
        return trouble.leave(turn)
    other = other_goal(turn, heard)
    if other:
        return begin_with_values(turn, heard, other)
    repeated = refused_again(turn, heard)
    if repeated:
        return repeated
    if heard.named and ("yes" not in heard.acts or "correct" in heard.acts):
        return turned_down(turn, heard, *_one(heard.named)) or ask_again(turn, heard.named)
    digression = digress(turn, heard)
    if digression:
        return digression
    if clear_no(heard.acts) or ("no" in heard.acts and "yes" not in heard.acts and not heard.looks_like_question):
        return turned_down(turn, heard) or turn.ask(turn.phrases.change, Asking("change"), f"{turn.state.goal}.change")
    return trouble.miss(turn, turn.phrases.yes_or_no)


def _wrong(turn: Turn, heard: Heard) -> list[str]:
    """The slots of which something was said that is not as it was read out."""
    goal, slots = turn.goal, turn.state.slots
    differs = [slot for slot, mention in heard.values.items() if mention.value != slots.get(slot)]
    denied = [slot for slot, mention in heard.denied.items() if mention.value == slots.get(slot)]
    return [slot for slot in dict.fromkeys([*differs, *denied]) if goal and slot in goal.ask]


def _put_right(turn: Turn, heard: Heard) -> Move:
    take(turn, heard, echo=False)
    return ask_which(turn, heard) or advance(turn)


def _one(named: tuple[str, ...]) -> tuple[str, ...]:
    """The slot that was named, unless it may be one of several."""
    return named if len(named) == 1 else ()


def _agrees(turn: Turn, heard: Heard) -> bool:
    """A clear yes, or the goal's own verb ("book it please") and nothing else."""
    own = _own_words(turn)
    if heard.denied or "no" in heard.acts or "not" in heard.acts or heard.looks_like_question:
        return False
    allowed = {"yes", "thanks", "filler", *(["drop"] if _is_the_goal_itself(turn, heard) else [])}
    fits = all(each.label in allowed for each in heard.acts.found) and set(heard.acts.rest) <= own
    says_it = bool(own & set(heard.utterance.tokens)) and not heard.values
    return fits and ("yes" in heard.acts or says_it)


def _own_words(turn: Turn) -> set[str]:
    """The verb of the goal's title: "book"."""
    return {turn.goal.title.split()[0].lower()} if turn.goal else set()


def _is_the_goal_itself(turn: Turn, heard: Heard) -> bool:
    """ "cancel that" is no way out of cancelling."""
    drop = heard.acts.first("drop")
    return drop is not None and bool(set(heard.utterance.tokens[drop.start : drop.end]) & _own_words(turn))


def to_change(turn: Turn, heard: Heard) -> Move:
    """After "what should I change?"."""
    repeated = refused_again(turn, heard)
    if repeated:
        return repeated
    doubt.note(turn, heard, *(_wrong(turn, heard) or _one(heard.named)))
    changed = take(turn, heard, echo=False)
    if changed is not None:
        return ask_which(turn, heard) or advance(turn)
    if heard.named:
        return ask_again(turn, heard.named)
    if "drop" in heard.acts or clear_no(heard.acts):
        return trouble.leave(turn)
    if clear_yes(heard.acts):
        return advance(turn)
    other = other_goal(turn, heard)
    if other:
        return begin_with_values(turn, heard, other)
    return digress(turn, heard) or trouble.miss(turn)

"""The answer to a choice between options: a free time, a day, or which goal was meant."""

from __future__ import annotations

from typing import Any

from voicebot.brain.nlu.acts import clear_no, clear_yes
from voicebot.brain.nlu.text import words

from . import trouble
from .goals import to_goal
from .heard import Heard
from .progress import advance, ask_goal, ask_slot, begin
from .state import Move
from .taking import begin_with_values, other_goal, values_or_digression, which
from .turn import Turn


def to_pick(turn: Turn, heard: Heard) -> Move:
    asking = turn.state.asking
    chosen = _chosen(turn, heard)
    if chosen is not None:
        turn.state.misses = 0
        if asking.slot is None:
            return begin(turn, chosen)
        turn.state.slots[asking.slot] = chosen
        return advance(turn)
    if asking.slot is None:
        if clear_no(heard.acts) or "drop" in heard.acts:
            turn.state.slots = {}
            return ask_goal(turn)
        if len(asking.options) == 1 and heard.values and not other_goal(turn, heard):
            return begin_with_values(turn, heard, asking.options[0])
        return to_goal(turn, heard)
    both = _place(heard, asking.options), getattr(heard.values.get(asking.slot), "value", None)
    if all(each in asking.options for each in both):
        return which(turn, asking.slot, list(both))
    moved = values_or_digression(turn, heard)
    if moved:
        return moved
    if "drop" in heard.acts:
        return trouble.leave(turn)
    if "no" in heard.acts and not heard.acts.rest:
        return ask_slot(turn, asking.slot)
    return trouble.miss(turn)


def _chosen(turn: Turn, heard: Heard) -> Any:
    """The option meant, or None."""
    asking = turn.state.asking
    options = asking.options
    mention = heard.values.get(asking.slot or "")
    place = _place(heard, options)
    if place is not None and (mention is None or "one" in heard.utterance.tokens or mention.value not in options):
        return place
    if mention is not None:
        # "the first" may be the first on offer or the first of the month.
        return mention.value if mention.value in options and place in (None, mention.value) else None
    if heard.values or heard.denied or "no" in heard.acts:
        return None
    if len(options) == 1 and clear_yes(heard.acts):
        return options[0]
    return options[0] if asking.slot and heard.acts.only("any") else None


_PLACES = {"1st": 0, "first": 0, "2nd": 1, "second": 1, "3rd": 2, "third": 2, "4th": 3, "last": -1, "earliest": 0,
           "earlier": 0, "latest": -1, "later": -1, "former": 0, "latter": -1}  # fmt: skip
_BY_VALUE = words("earliest earlier latest later")
_BESIDE_A_PLACE = words(
    "the one i'll i take would like please option yes yeah okay ok um uh sure let's do time day slot choice "
    "sounds good is fine great perfect i'd want than then and that"
)  # fmt: skip
PLACE_WORDS = frozenset(_PLACES) | _BESIDE_A_PLACE


def _place(heard: Heard, options: list[Any]) -> Any:
    """ "the second one" -> the second option; nothing else of weight may be said with it."""
    tokens = heard.utterance.tokens
    said = [_PLACES[word] for word in tokens if word in _PLACES]
    rest = [word for word in tokens if word not in _PLACES and word not in _BESIDE_A_PLACE]
    if len(said) != 1 or rest or said[0] >= len(options):
        return None
    by_value = _BY_VALUE & set(tokens)
    return (sorted(options) if by_value else options)[said[0]]

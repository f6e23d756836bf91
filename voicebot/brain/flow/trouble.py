"""When it does not go smoothly: silence, answers that are not understood, refusals, and the way out to a person."""

from __future__ import annotations

from .progress import advance, anything_else, ask_goal, drop
from .state import Asking, Move
from .turn import Turn

PATIENCE = 2
"""How often a question is asked again before a person is offered."""
LONGEST_SILENCE = 3
LONGEST_TALK = 5
"""How often in a row a model may talk with the caller beside the open question until a person is offered."""


def silence(turn: Turn) -> Move:
    turn.state.silences += 1
    if turn.state.silences >= LONGEST_SILENCE:
        return turn.end(turn.phrases.goodbye, "silence")
    return turn.again(turn.phrases.are_you_there)


def miss(turn: Turn, hint: str = "") -> Move:
    """The answer was not understood: ask again in other words, then offer a person."""
    state, phrases = turn.state, turn.phrases
    state.misses += 1
    turn.missed = True
    if turn.words and state.misses <= LONGEST_TALK:
        return turn.again()
    if state.misses > PATIENCE:
        return offer_person(turn)
    asked = turn.heard is not None and turn.heard.looks_like_question
    sorry = phrases.not_understood[min(state.misses, len(phrases.not_understood)) - 1]
    turn.prefix.append(hint or (phrases.unknown_answer if asked else sorry))
    state.said = turn.state.question
    return turn.say(_reworded(turn))


def _reworded(turn: Turn) -> str:
    state = turn.state
    name = state.asking.slot
    if state.asking.doubted is not None:
        return state.question
    if state.asking.kind == "slot" and name:
        wordings = turn.slot(name).reask
        own = name in turn.goal.questions if turn.goal else False
        if wordings and not own:
            return turn.text(wordings[min(state.misses, len(wordings)) - 1])
    if state.asking.kind == "goal":
        return can_do(turn)
    return state.question


def can_do(turn: Turn) -> str:
    """ "I can help you book an appointment, move an appointment or cancel an appointment." """
    titles = [goal.title for goal in turn.flow.goals.values()]
    head = f"{', '.join(titles[:-1])} or {titles[-1]}" if len(titles) > 1 else titles[0]
    return f"I can help you {head}. What would you like?"


def offer_person(turn: Turn, question: str = "") -> Move:
    state = turn.state
    if turn.rails.person is None:
        return turn.end(turn.phrases.give_up, "not understood")
    state.waiting = state.asking
    state.asking = Asking("person")
    turn.prefix = []
    return turn.say(question or turn.phrases.offer_person)


def pass_on(turn: Turn) -> Move:
    """A person takes over at once, as asking again has not helped. Nothing is left that a yes could set off."""
    drop(turn)
    turn.state.asking = Asking("goal")
    turn.prefix = [turn.phrases.not_right]
    if turn.rails.person is None:
        turn.prefix = []
        return turn.end(turn.phrases.give_up, "not understood")
    return turn.hand_over("not understood")


def refused(turn: Turn, slot: str) -> Move:
    """The caller would rather not say: go on without it where that is possible, else say why and ask once more."""
    state, spec = turn.state, turn.slot(slot)
    if not spec.required:
        state.refused.append(slot)
        turn.forget(slot)
        turn.prefix.append("That's fine.")
        return advance(turn)
    state.misses += 1
    if state.misses > PATIENCE:
        return offer_person(turn)
    return turn.again(spec.why or turn.phrases.need_it)


def leave(turn: Turn) -> Move:
    """The caller gives up the goal: nothing is done."""
    if turn.state.goal is None:
        return ask_goal(turn) if turn.state.asking.kind == "goal" else anything_else(turn)
    changes = turn.goal is not None and turn.goal.do is not None
    drop(turn)
    turn.prefix.append(turn.phrases.nothing_done if changes else turn.phrases.dropped)
    return anything_else(turn)

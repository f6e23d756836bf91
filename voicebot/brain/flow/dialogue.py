"""The dialogue: from what was heard to the next move. No I/O and no clock of its own; the same input, the same move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from voicebot.brain.knowledge import Knowledge
from voicebot.brain.nlu import Utterance
from voicebot.brain.nlu.acts import clear_no, clear_yes
from voicebot.brain.nlu.spelling import find_spelled
from voicebot.brain.nlu.text import words
from voicebot.flow import Flow

from . import answers, progress, trouble
from .claims import Claims
from .heard import Heard, Listener
from .picking import PLACE_WORDS
from .second import completed
from .state import Asking, Move, State
from .taking import SURE
from .turn import Rails, Turn
from .wording import Wording


class Dialogue:
    """A flow, ready to talk. Shared by all calls; what belongs to one call is in the state that goes in and out.

    `person` is whom callers can be passed on to, `hand_over` what is said then, `greeting` what the call began with;
    `today` says which day it is.
    """

    def __init__(
        self,
        flow: Flow,
        knowledge: Knowledge | None = None,
        *,
        person: str | None = None,
        hand_over: str | None = None,
        greeting: str | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.knowledge = known = knowledge or Knowledge([])
        self._rails = Rails(flow, known, Wording(flow), person, hand_over or flow.phrases.hand_over, greeting or "")
        self._listener = Listener(flow, known)
        self._today = today

    def step(
        self, state: dict[str, Any] | None, text: str, *, heard: str | None = None, claims: Claims | None = None
    ) -> Move:
        """Answer one turn of the caller; '' is a silence.

        `heard` is what the caller heard of the last move's words (None: all of them). A yes to a confirmation that
        was not heard to its last value does not count. `claims` are what a language model has understood of the turn.
        """
        turn = self._turn(state)
        if turn.state.running:  # the caller spoke before a tool answered: what it was to settle is still open
            turn.state.running = None
        turn.state.asking.heard = turn.state.asking.heard or _was_heard(turn.state, heard)
        _tell_news(turn, heard)
        listened = self._listener.read(text, turn.state, turn.today)
        if not listened.utterance.tokens:
            return trouble.silence(turn)
        turn.state.silences = 0
        if claims:
            turn.words = claims.say
            listened = completed(turn, listened, claims, self._listener)
        turn.heard = listened
        asked = turn.state.asking
        move = _at_any_time(turn, listened) or (claims and _by_claims(turn, claims))
        if move:
            return move
        move = answers.answer(turn, listened)
        return replace(move, understood=_is_understood(turn, listened, asked))

    def resume(self, state: dict[str, Any], result: Any, *, ok: bool = True) -> Move:
        """Go on after a tool; `ok` is False when it could not be run."""
        turn = self._turn(state)
        return progress.answered(turn, result) if ok else progress.failed(turn)

    def settles(self, state: dict[str, Any] | None, text: str) -> bool:
        """Whether the text surely answers what was just asked, so that nothing more need be waited for."""
        now = State.of(state)
        return _settles(self._rails.flow, now, self._listener.read(text, now, self._today()))

    def may_be_whole(self, text: str) -> bool:
        """Whether what the caller has said so far could be all of it: more than two words, and none that leads on."""
        tokens = Utterance.of(text).tokens
        return len(tokens) > 2 and tokens[-1] not in _DANGLING

    def _turn(self, state: dict[str, Any] | None) -> Turn:
        now = State.of(state)
        now.question = now.question or self._rails.flow.phrases.ask_goal
        now.said = now.said or self._rails.greeting
        return Turn(self._rails, now, self._today())


def _at_any_time(turn: Turn, heard: Heard) -> Move | None:
    """What is understood whatever was asked: a person, goodbye, once more, one moment."""
    acts = heard.acts
    if heard.values or heard.denied or heard.partial:
        return None
    if _wants_person(heard):
        return turn.hand_over("asked for a person")
    if acts.only("repeat", "correct") and ("repeat" in acts or heard.utterance.tokens == ("sorry",)):
        return _repeated(turn)
    if "here" in acts and acts.only("here", "yes"):
        return turn.again()
    if acts.only("wait") or (acts.only("filler") and turn.state.asking.kind not in ("confirm", "person")):
        return turn.say(turn.phrases.wait) if "wait" in acts else turn.again()
    if acts.only("bye") or (acts.only("bye", "thanks", "no", "yes") and "bye" in acts):
        return turn.end(turn.phrases.goodbye, "goodbye")
    if acts.only("thanks") and turn.state.asking.kind != "more":
        return turn.again(turn.phrases.welcome)
    return None


def _by_claims(turn: Turn, claims: Claims) -> Move | None:
    """A person, when only a model has understood that one is wanted: the caller is asked first."""
    if claims.act != "wants_person":
        return None
    if turn.rails.person is None or turn.state.asking.kind == "person":
        return turn.hand_over("asked for a person")
    return trouble.offer_person(turn, turn.phrases.want_person)


def _is_understood(turn: Turn, heard: Heard, asked: Asking) -> bool:
    """Whether the rules have accounted for the turn to its last word of weight."""
    if asked.kind == "slot" and turn.slot(str(asked.slot)).type == "text":
        return not heard.looks_like_question
    if turn.state.running and turn.state.running.kind == "do":  # that takes a clear yes and nothing else
        return True
    guesses_goal = turn.state.asking.kind == "pick" and turn.state.asking.slot is None
    missed = turn.missed and not heard.partial
    unexplained = set(heard.unexplained) - (PLACE_WORDS if asked.kind == "pick" else set())
    return not (unexplained or guesses_goal or missed)


def _wants_person(heard: Heard) -> bool:
    """ "are you human" only asks, "can i talk to a human" wants one."""
    person = heard.acts.first("person")
    if person is None or "not" in heard.acts:
        return False
    talk = heard.best("talk")
    only_asks = talk is not None and talk.score > SURE and heard.looks_like_question
    return not only_asks or person.end - person.start > 2


def _tell_news(turn: Turn, heard: str | None) -> None:
    """What was done is said again until the caller has heard most of it: nobody books twice for not knowing."""
    news = _plain(turn.state.news)
    if not news:
        return
    got = _plain(turn.state.said if heard is None else heard)
    if sum(word in got for word in news) >= _MOST * len(news):
        turn.state.news = ""
    else:
        turn.prefix.append(turn.state.news)


def _repeated(turn: Turn) -> Move:
    """What was said last, or the question that is open."""
    return turn.say(turn.state.said or turn.state.question or turn.phrases.ask_goal)


def _was_heard(state: State, heard: str | None) -> bool:
    """Whether what must be heard was: the caller heard the last words at least to where it ends in them."""
    said, needed = _plain(state.said), _plain(state.asking.must_hear)
    got = said if heard is None else _plain(heard)
    ends = [end for end in range(len(needed), len(said) + 1) if said[end - len(needed) : end] == needed]
    return bool(ends) and len(got) >= ends[-1] and got == said[: len(got)]


def _plain(text: str) -> list[str]:
    return "".join(each if each.isalnum() else " " for each in text.lower().replace("'", "")).split()


_MOST = 0.7
"""The share of a sentence's words from which its caller knows what it says."""
_DANGLING = words(
    "i i'm it it's that that's so just and or at on for to in the a an um uh but with my is next this of not no from"
)


def _settles(flow: Flow, state: State, heard: Heard) -> bool:
    tokens = heard.utterance.tokens
    if not tokens or tokens[-1] in _DANGLING or heard.acts.rest:
        return False
    kind = state.asking.kind
    if kind in ("confirm", "person"):
        return clear_yes(heard.acts) and not heard.values
    if kind == "more":
        return clear_no(heard.acts)
    if kind == "slot" and heard.acts.only("refuse") and not heard.values:
        return True
    mention = heard.values.get(state.asking.slot or "")
    if kind not in ("slot", "pick") or mention is None or mention.value is None or mention.end != len(tokens):
        return False
    slot = flow.slots[str(state.asking.slot)]
    if slot.type == "time":
        return mention.sure and (mention.end - mention.start > 1 or mention.value in state.asking.options)
    if slot.type == "name":
        return mention.end - mention.start > 1 and not find_spelled(heard.utterance)  # more letters may follow
    return mention.sure and slot.type in ("choice", "date", "phone", "code")

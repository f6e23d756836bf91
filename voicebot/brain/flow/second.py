"""The rules' reading of a turn, completed with what a language model claims to have understood of it.

A claim is never worth more than the caller's own words: a value goes through the same parsers, and where the rules
have read another one the caller is asked which. A yes needs two keys: the model's claim, and words that agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voicebot.brain.nlu import Mention, times
from voicebot.brain.nlu.acts import Act, Acts
from voicebot.brain.nlu.phrases import Found
from voicebot.brain.nlu.similar import Match
from voicebot.brain.nlu.text import words

from .claims import Claims
from .heard import Heard, Listener
from .taking import MAYBE, SURE
from .turn import Turn

_ACTS: dict[str, Act] = {"no": "no", "gives_up": "drop", "rather_not_say": "refuse", "repeat": "repeat"}
_AFFIRMS = words(
    "lovely brilliant wonderful fantastic awesome excellent super ideal cool splendid terrific agreed deal aye "
    "ja jawohl genau klar gerne richtig stimmt passt jo javisst jaha klopt prima graag precies oui ouais parfait "
    "exactement exact sí si claro correcto exacto perfecto vale sì certo esatto giusto perfetto sim isso perfeito "
    "tak ano igen evet hai da kyllä да так はい"
)
"""Words by which somebody who was asked says yes, here and elsewhere; alone they are no yes."""
_BESIDE = words(
    "that'd that'll that would will be i'd i'll we'd we'll i we you your me us for with all so very really much it "
    "this is are am good great happy glad can may go on ahead then do my of course sounds looks both absolutely "
    "bitte danke so ist das machen sie es doch d'accord c'est ça bien merci por favor gracias está es eso va bene "
    "grazie obrigado está bem"
)
"""Words that may stand beside them without taking anything back."""


def completed(turn: Turn, heard: Heard, claims: Claims, listener: Listener) -> Heard:
    """What the turn means with the claims that hold."""
    asks = heard.looks_like_question or claims.act == "asks"
    claimed = _claimed(turn, heard, claims, listener)
    own = {slot: each for slot, each in heard.values.items() if slot in claimed or not (asks and claims.say)}
    values = {slot: _either(turn, slot, own.get(slot), claimed.get(slot)) for slot in {**own, **claimed}}
    wrong = tuple(slot for slot in claims.wrong if slot not in values)
    return replace(
        heard,
        acts=_acts(turn, heard, claims, corrects=bool(wrong)),
        values=values,
        named=tuple(dict.fromkeys([*heard.named, *wrong])),
        intents=_intents(turn, heard, claims),
        looks_like_question=asks,
    )


def _claimed(turn: Turn, heard: Heard, claims: Claims, listener: Listener) -> dict[str, Mention]:
    """The values that the flow's own parsers accept and that are news. One that the caller has refused is none."""
    state = turn.state
    read = {slot: listener.value(slot, said, state, turn.today) for slot, said in claims.slots.items()}
    known = {slot: [state.slots.get(slot), *state.rejected.get(slot, [])] for slot in read}
    return {
        slot: each
        for slot, each in read.items()
        if each and (slot in heard.values or each.value is None or each.value not in known[slot])
    }


def _either(turn: Turn, slot: str, own: Mention | None, claimed: Mention | None) -> Mention:
    """What the caller's words say and what the model says of them: one value where they fit, else both readings."""
    if own is None or claimed is None:
        either = own or claimed
        assert either is not None
        return either
    if claimed.value in (own.value, *own.options):
        return claimed
    if own.value in claimed.options:
        return own
    if times.is_wish(own.value) != times.is_wish(claimed.value):
        return claimed if times.is_wish(own.value) else own
    if turn.slot(slot).type == "name" and set(str(own.value).lower().split()) < set(str(claimed.value).lower().split()):
        return claimed
    readings = [option for each in (own, claimed) for option in (each.options or (each.value,))]
    return replace(own, value=None, options=tuple(dict.fromkeys(readings)))


def _acts(turn: Turn, heard: Heard, claims: Claims, *, corrects: bool) -> Acts:
    acts = heard.acts
    label = _ACTS.get(claims.act)
    if claims.act == "says_goodbye":  # nobody is hung up on by hearsay: only where nothing else was open
        label = "no" if turn.state.asking.kind == "more" else "drop"
    if claims.act == "yes" and _words_agree(turn, heard):
        acts = Acts((Found("yes", 0, 0),), ())
    elif label and not (label == "no" and "yes" in acts):
        acts = Acts((Found(label, 0, 0),), ())
    return Acts((*acts.found, Found("correct", 0, 0)), acts.rest) if corrects else acts


def _words_agree(turn: Turn, heard: Heard) -> bool:
    """Whether the caller's words can be the yes that the model claims: some affirm, none could take it back."""
    if heard.denied or heard.looks_like_question or _differ(heard.values, turn.state.slots):
        return False
    if any(each.label not in ("yes", "thanks", "filler") for each in heard.acts.found):
        return False
    rest = set(heard.acts.rest)
    goal_verb = {turn.goal.title.split()[0].lower()} if turn.goal else set()
    affirms = "yes" in heard.acts or bool(rest & _AFFIRMS)
    return affirms and rest <= _AFFIRMS | _BESIDE | goal_verb


def _differ(values: Mapping[str, Mention], known: Mapping[str, Any]) -> bool:
    return any(mention.value != known.get(slot) for slot, mention in values.items())


def _intents(turn: Turn, heard: Heard, claims: Claims) -> list[Match]:
    if claims.goal:
        goal = turn.flow.goals[claims.goal]
        leaves = goal.do is None and goal.then != "anything_else"  # ends the call without a confirmation
        return [Match(f"goal:{claims.goal}", MAYBE if leaves else 1.0, "")]
    if claims.say:  # the model answers what the caller asked
        return [match for match in heard.intents if match.label.startswith("goal:") and match.score >= SURE]
    return heard.intents

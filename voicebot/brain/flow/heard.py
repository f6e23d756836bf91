"""What a caller's turn means to a flow: values for slots, acts, and which goal, answer or small talk it resembles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any

from voicebot.brain.knowledge import Knowledge
from voicebot.brain.nlu import Mention, Utterance, amounts, dates, phones, times
from voicebot.brain.nlu.acts import Acts, find_acts
from voicebot.brain.nlu.choices import Choices
from voicebot.brain.nlu.names import Names
from voicebot.brain.nlu.similar import Examples, Match, beyond
from voicebot.brain.nlu.spelling import find_spelled
from voicebot.brain.nlu.text import TAKEN, words
from voicebot.flow import Flow, Slot
from voicebot.flow.callers import SAID

from .state import Asking, State

RESEMBLES = 0.66
"""Likeness from which an example explains the words it shares with the turn."""
_FRAMES = frozenset(
    word
    for kind, frames in SAID.items()
    if kind.endswith("_frames")
    for frame in frames
    for word in Utterance.of(frame.replace("{}", " ")).tokens
)
_NOT = words("not isn't wasn't")
_BETWEEN = words("on at a an the for to under really of than")
_CHANGES = words("no sorry actually mean meant wait rather instead but said make not correction")
_LEAD_IN = words("um uh and so well oh but hi hello")
_SLOT_WORDS = {
    "date": ("day", "date"), "time": ("time", "hour"), "phone": ("phone", "number", "phone number", "telephone"),
    "name": ("name",), "number": ("number",), "money": ("amount",), "code": ("number", "code"),
}  # fmt: skip
_QUESTION_STARTS = words(
    "am what what's when where where's who who's which how how's why is are do does did can could will would"
)


@dataclass(frozen=True)
class Heard:
    """A turn, understood as far as it goes."""

    utterance: Utterance
    acts: Acts
    values: dict[str, Mention]
    """slot -> what was said for it; several readings in `options`."""
    denied: dict[str, Mention]
    """slot -> a value that was said to be wrong."""
    named: tuple[str, ...]
    """Slots called by name ("the time is wrong")."""
    intents: list[Match] = field(default_factory=list)
    """goal:<name>, answer:<n>, talk:<n>, the likest first."""
    partial: str = ""
    """Digits that are not yet a whole number or code."""
    looks_like_question: bool = False
    unexplained: tuple[str, ...] = ()
    """Words of weight that belong to no value, no act and no example which the turn resembles."""

    def best(self, kind: str) -> Match | None:
        """The likest goal, answer or talk."""
        return next((match for match in self.intents if match.label.startswith(f"{kind}:")), None)


class Listener:
    """Reads turns for one flow. Built once per agent; reading changes nothing in it."""

    def __init__(self, flow: Flow, knowledge: Knowledge) -> None:
        self._flow = flow
        self._opening = times.Opening.of(flow.hours.open, flow.hours.close)
        self._choices = {name: Choices(slot.values) for name, slot in flow.slots.items() if slot.type == "choice"}
        self._names = Names(flow.names.first, flow.names.last, _words_of(flow))
        self._examples = Examples(_examples(flow, knowledge))
        slot_words = [word for slot in flow.slots.values() for word in _SLOT_WORDS.get(slot.type, ())]
        matters = [goal.title.partition(" ")[2] for goal in flow.goals.values()]
        self._own_words = _BETWEEN | words(" ".join([*flow.slots, *slot_words, *matters]).replace("_", " "))

    def read(self, text: str, state: State, today: date) -> Heard:
        """The turn in the light of what was asked."""
        utterance = Utterance.of(text)
        mentions = self._mentions(utterance, state, today)
        left = utterance.without(_with_prepositions(utterance, mention) for _, mention in mentions)
        values, denied = self._by_slot(utterance, mentions, state)
        begun = (mention for _, mention in mentions if mention.kind in ("phone", "code") and not mention.sure)
        acts = find_acts(left)
        intents = self._examples.rank(utterance.tokens, _with_places(utterance, mentions))
        resembled = intents[0].example if intents and intents[0].score >= RESEMBLES else ""
        if not set(acts.rest) - _BETWEEN and "drop" not in acts:  # values alone say nothing of what they are for
            intents = [match for match in intents if not match.label.startswith("goal:")]
        return Heard(
            utterance,
            acts,
            values,
            denied,
            named=self._named(left, state),
            intents=intents,
            partial=next((str(mention.value) for mention in begun), ""),
            looks_like_question=_is_question(utterance),
            unexplained=self._unexplained(acts, resembled, framed=bool(mentions)),
        )

    def _unexplained(self, acts: Acts, resembled: str, *, framed: bool) -> tuple[str, ...]:
        """`framed`: around a value "let's say ... if possible" says nothing of its own."""
        own = self._own_words | _FRAMES if framed else self._own_words
        return tuple(beyond((word for word in acts.rest if word not in own), resembled))

    def value(self, name: str, said: str, state: State, today: date) -> Mention | None:
        """The one value of a slot that somebody else's wording of it is, read as the caller's own words would be."""
        slot = self._flow.slots[name]
        asking = state.asking if self._expected(state) == name else Asking("slot", name)
        utterance = Utterance.of(f"any {slot.type}" if slot.wishes and said == "any" else said)
        found = self._find(name, slot, utterance, State(asking=asking), today) if slot.type != "text" else []
        if len(found) != 1 or (slot.type in ("phone", "code") and not found[0].sure):
            return None
        rest = set(utterance.without(found).tokens) - {TAKEN} - _BETWEEN
        return None if rest else found[0]

    def _expected(self, state: State) -> str | None:
        slot = state.asking.slot
        return slot if slot and state.asking.kind in ("slot", "pick") else None

    def _mentions(self, utterance: Utterance, state: State, today: date) -> list[tuple[str, Mention]]:
        """(slot, mention) without overlaps; what was asked for is looked for first."""
        expected = self._expected(state)
        order = sorted(self._flow.slots, key=lambda name: (name != expected, _ORDER[self._flow.slots[name].type]))
        found: list[tuple[str, Mention]] = []
        done: set[str] = set()
        for name in order:
            slot = self._flow.slots[name]
            key = name if slot.type in ("choice", "code", "number") else slot.type
            if key in done or slot.type == "text":
                continue
            done.add(key)
            left = utterance.without(mention for _, mention in found)
            found.extend((name, mention) for mention in self._find(name, slot, left, state, today))
        return sorted(found, key=lambda pair: pair[1].start)

    def _find(self, name: str, slot: Slot, left: Utterance, state: State, today: date) -> list[Mention]:
        """Mentions of one slot that can be trusted in this place of the dialogue."""
        expected = self._expected(state) == name
        loose = expected or state.asking.kind in ("confirm", "change")
        finders: dict[str, Callable[[Utterance], list[Mention]]] = {
            "choice": partial(self._find_choice, name),
            "date": partial(dates.find_dates, today=today),
            "time": partial(times.find_times, opening=self._opening, options=_offered(state, name)),
            "number": partial(amounts.find_numbers, units=slot.units),
            "money": amounts.find_money,
            "phone": partial(phones.find_phones, region=self._flow.region),
            "code": partial(amounts.find_codes, length=slot.length, letters=slot.letters),
            "name": partial(self._find_name, name, state),
        }
        found = finders[slot.type](left)
        if slot.type in ("phone", "code"):
            return [self._completed(slot, each, state) for each in found if each.sure or expected]
        return [each for each in found if each.sure or (loose and _worth(slot, each, state))]

    def _find_choice(self, name: str, left: Utterance) -> list[Mention]:
        return self._choices[name].find(left)

    def _find_name(self, name: str, state: State, left: Utterance) -> list[Mention]:
        asking, known = state.asking, state.slots.get(name)
        if asking.doubted is not None and asking.slot == name:
            return self._names.put_right(left, str(asking.doubted))
        if asking.kind not in ("confirm", "change"):
            return self._names.find(left, expected=asking.slot == name and asking.kind in ("slot", "pick"))
        found = self._names.find(left, expected=asking.kind == "change") or self._corrected_name(left)
        return self._names.put_right(left, str(known)) if found and known and find_spelled(left) else found

    def _corrected_name(self, left: Utterance) -> list[Mention]:
        """After a confirmation "no it's anna smith" names a person; a bare word does not."""
        if not left.tokens or left.tokens[0] not in ("no", "sorry", "actually"):
            return []
        return [each for each in self._names.find(left, expected=True) if each.end - each.start > 1]

    def _completed(self, slot: Slot, mention: Mention, state: State) -> Mention:
        """Digits that go on from the turn before make one number together."""
        said = str(mention.value)
        again = said.startswith(state.partial)
        if not state.partial or again or said.startswith("+"):
            return mention
        joined = state.partial + said
        if slot.type == "phone":
            whole = phones.complete(joined, self._flow.region)
            return replace(mention, value=whole, sure=True) if whole else mention
        return replace(mention, value=joined, sure=len(joined) == slot.length)

    def _by_slot(
        self, utterance: Utterance, mentions: Sequence[tuple[str, Mention]], state: State
    ) -> tuple[dict[str, Mention], dict[str, Mention]]:
        values: dict[str, Mention] = {}
        denied: dict[str, Mention] = {}
        by_slot: dict[str, list[Mention]] = {}
        for found_for, mention in mentions:
            if self._flow.slots[found_for].type in ("phone", "code") and not mention.sure:
                continue
            slot = self._slot_for(found_for, utterance, state)
            if slot and _is_negated(utterance, mention):
                denied[slot] = mention
            elif slot:
                by_slot.setdefault(slot, []).append(mention)
        for slot, said in by_slot.items():
            values[slot] = _settled(utterance, said)
        return values, denied

    def _slot_for(self, found_for: str, utterance: Utterance, state: State) -> str | None:
        """Which of several slots of one type is meant: the asked one, the one named, or the next to be filled."""
        goal = self._flow.goals.get(state.goal or "")
        kind = self._flow.slots[found_for].type
        if kind in ("choice", "code"):
            return found_for
        same = [name for name, slot in self._flow.slots.items() if slot.type == kind and (not goal or name in goal.ask)]
        if len(same) < 2:
            return same[0] if same else found_for
        if state.asking.slot in same:
            return state.asking.slot
        named = [name for name in same if name.replace("_", " ") in utterance.text]
        unfilled = [name for name in same if name not in state.slots]
        return named[0] if len(named) == 1 else unfilled[0] if unfilled else None

    def _named(self, left: Utterance, state: State) -> tuple[str, ...]:
        goal = self._flow.goals.get(state.goal or "")
        if not goal:
            return ()
        said = set(left.tokens)
        named = []
        for name in goal.ask:
            own = name.replace("_", " ").split()
            if set(own) <= said or any(each in said for each in _SLOT_WORDS.get(self._flow.slots[name].type, ())):
                named.append(name)
        exact = [name for name in named if set(name.split("_")) <= said]
        return tuple(exact or named)


_ORDER = {"choice": 0, "phone": 1, "code": 2, "date": 3, "time": 4, "money": 5, "number": 6, "name": 7, "text": 8}


def _words_of(flow: Flow) -> list[str]:
    """Words of the flow's own matter: they are no names."""
    choices = [each for slot in flow.slots.values() for value, ways in slot.values.items() for each in (value, *ways)]
    examples = [example for goal in flow.goals.values() for example in goal.examples]
    return [*choices, *(Utterance.of(" ".join(w for w in each.split() if "{" not in w)).text for each in examples)]


def _examples(flow: Flow, knowledge: Knowledge) -> list[tuple[str, str]]:
    goals = [(f"goal:{name}", example) for name, goal in flow.goals.items() for example in (goal.title, *goal.examples)]
    talks = [(f"talk:{place}", each) for place, talk in enumerate(flow.small_talk) for each in talk.examples]
    answers = [(f"answer:{place}", each) for place, known in enumerate(knowledge.passages) for each in known.questions]
    return [*goals, *talks, *answers]


def _offered(state: State, slot: str) -> list[Any]:
    return state.asking.options if state.asking.kind == "pick" and state.asking.slot == slot else []


def _worth(slot: Slot, mention: Mention, state: State) -> bool:
    """Whether something that only may be a value of this type counts here.

    After a confirmation a bare number is a new time ("no, three") only where no count or amount can be meant.
    """
    return slot.type in ("time", "date") or state.asking.kind in ("slot", "pick")


def _with_prepositions(utterance: Utterance, mention: Mention) -> Mention:
    """The mention with the little words before it ("on the", "for")."""
    start = mention.start
    while start and utterance.tokens[start - 1] in _BETWEEN:
        start -= 1
    return replace(mention, start=start)


def _is_negated(utterance: Utterance, mention: Mention) -> bool:
    place = mention.start - 1
    while place >= 0 and utterance.tokens[place] in _BETWEEN:
        place -= 1
    if place < 0:
        return False
    before = utterance.tokens[max(0, place - 1) : place + 1]
    return before[-1] in _NOT or before in (("instead", "of"), ("rather", "than"), ("don't", "want"))


def _settled(utterance: Utterance, said: list[Mention]) -> Mention:
    """One value of several: the last one after "no", "sorry", "i mean"; an exact time before a part of the day."""
    exact = [each for each in said if each.options or not times.is_wish(each.value)]
    said = _in_part_of_day(exact, [each for each in said if each not in exact])
    first = said[0]
    if all(each.value == first.value and each.options == first.options for each in said):
        return first
    for earlier, later in reversed(list(pairwise(said))):
        if _CHANGES & set(utterance.tokens[earlier.end : later.start]):
            return said[-1]
    options = tuple(dict.fromkeys(option for each in said for option in (each.options or (each.value,))))
    return replace(first, value=None, options=options)


def _in_part_of_day(exact: list[Mention], wishes: list[Mention]) -> list[Mention]:
    """ "in the morning ... at eight" settles which eight."""
    if not exact:
        return wishes[:1]
    if not wishes:
        return exact
    early = wishes[0].value == "morning"
    fitting = [tuple(each for each in mention.options if (each < "12:00") == early) for mention in exact]
    return [replace(mention, value=one[0], options=()) if len(one) == 1 else mention
            for mention, one in zip(exact, fitting, strict=True)]  # fmt: skip


def _with_places(utterance: Utterance, mentions: Sequence[tuple[str, Mention]]) -> list[str]:
    """The words with `{slot}` in place of each mention."""
    tokens: list[str] = list(utterance.tokens)
    for name, mention in reversed(mentions):
        tokens[mention.start : mention.end] = [f"{{{name}}}"]
    return tokens


def _is_question(utterance: Utterance) -> bool:
    lead = [word for word in utterance.tokens[:6] if word not in _LEAD_IN]
    return bool(lead) and lead[0] in _QUESTION_STARTS

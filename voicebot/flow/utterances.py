"""What callers may say to a flow, as spoken words: the text a recogniser's language model is compiled from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import cycle, pairwise

from . import callers
from .schema import Flow, Slot, placeholders

EXPANSIONS = 8
"""How many different values each placeholder of an example is filled with."""


def utterances(flow: Flow, knowledge: Iterable[str] = ()) -> Iterator[str]:
    """What callers may say at any time, in spoken lower-case words without digits, each sentence once.

    A few thousand at most, for a recogniser's language model. `knowledge` adds questions (headings of its files).
    """
    seen: set[str] = set()
    for sentence in _all(flow, knowledge):
        words = spoken(sentence)
        if words and words not in seen:
            seen.add(words)
            yield words


def spoken(text: str) -> str:
    """Lower-case words as they are said: digits in words, no punctuation but the apostrophe."""
    from num2words import num2words

    plain = re.sub(r"\d+", lambda digits: f" {num2words(int(digits[0]))} ", text.replace("\u2019", "'"))
    words = " ".join(re.sub(r"[^a-z' ]+", " ", plain.lower()).split())
    return re.sub(r"\b(?:an?|the) (?=(?:an?|the) )", "", words)  # "a {}" around "a clean"


def _all(flow: Flow, knowledge: Iterable[str]) -> Iterator[str]:
    yield from callers.SAID["yes"]
    yield from callers.SAID["no"]
    yield from callers.SAID["talk"]
    yield from knowledge
    for talk in flow.small_talk:
        yield from talk.examples
    for slot in flow.slots.values():
        yield from alone(flow, slot)
    for goal in flow.goals.values():
        yield from (sentence for example in goal.examples for sentence in _expanded(flow, example))
        yield from _changes(goal.ask)
    yield from _together(flow)


def alone(flow: Flow, slot: Slot) -> Iterator[str]:
    """A slot's values in the phrases that answer its question."""
    values = _values(flow, slot)
    if slot.type == "choice":
        yield from callers.framed(values, callers.SAID["choice_frames"], everywhere=12)
        yield from (f"not a {value} a {other}" for value, other in pairwise(values))
    elif slot.type == "date":
        yield from callers.framed([*callers.WEEKDAYS, *values], callers.SAID["date_frames"], everywhere=9)
        days = callers.WEEKDAYS
        yield from (f"not {day} {other}" for day in days for other in days if day != other)
        yield from (f"{day} no {other}" for day in days for other in days if day != other)
    elif slot.type == "time":
        usual = [f"{way}{hour}" for way in ("", "half past ") for hour in callers.HOURS]
        yield from callers.framed([*usual, *values], callers.SAID["time_frames"], everywhere=len(usual))
    else:
        frames = callers.SAID.get(f"{slot.type}_frames", callers.SAID["number_frames"])
        yield from callers.framed(values, frames, everywhere=6)
    if slot.type == "name":
        yield from callers.spelled([*flow.names.first, *flow.names.last])


def _values(flow: Flow, slot: Slot) -> list[str]:
    """Ways to say a value of the slot."""
    if slot.type == "choice":
        said = [each for name, others in slot.values.items() for each in (name, *others)]
    elif slot.type == "date":
        said = list(callers.dates())
    elif slot.type == "time":
        said = list(callers.times())
    elif slot.type == "name":
        said = list(callers.names(flow.names.first, flow.names.last))
    elif slot.type == "phone":
        said = [*callers.digits(10), *callers.digits(7)]
    elif slot.type == "code":
        said = list(callers.digits(slot.length or 6))
    else:
        said = [f"{number} {unit}".strip() for number in callers.DIGITS[1:] for unit in ("", *slot.units)]
    return [*slot.examples, *said]


def _expanded(flow: Flow, example: str) -> Iterator[str]:
    """The example with its placeholders filled, with different values each time."""
    wanted = placeholders(example)
    if not wanted:
        yield example
        return
    pools = {name: cycle(_common(flow, flow.slots[name])) for name in wanted}
    for turn, name in enumerate(wanted):
        for _ in range(turn * 3 + len(example) % 5):  # so that the same values do not always meet
            next(pools[name])
    for _ in range(EXPANSIONS):
        filled = example
        for name in wanted:
            filled = filled.replace(f"{{{name}}}", next(pools[name]), 1)
        yield filled


def _common(flow: Flow, slot: Slot) -> list[str]:
    """Values as they are said inside a longer sentence."""
    if slot.type == "date":
        next_days = [f"next {day}" for day in callers.WEEKDAYS]
        full = ["the first of december", "the twelfth of may", "june third", "the fifteenth", "the twenty second"]
        return [*callers.WEEKDAYS, "tomorrow", *next_days, "today", *full]
    if slot.type == "time":
        halves = [f"half past {hour}" for hour in callers.HOURS]
        return [x for hour, half in zip(callers.HOURS, halves, strict=True) for x in (hour, half, f"{hour} thirty")]
    if slot.type == "name":
        return [name for name in _values(flow, slot) if " " in name] or _values(flow, slot) or ["me"]
    return _values(flow, slot)


def _changes(asked: list[str]) -> Iterator[str]:
    """How callers say which part is wrong."""
    for slot in asked:
        word = slot.replace("_", " ")
        yield from (f"the {word} is wrong", f"change the {word}", f"the {word}", f"no the {word} is wrong")
        yield from (f"i want to change the {word}", f"can i change the {word}", f"a different {word}")
        yield from (f"that's the wrong {word}", f"another {word}", f"can we change the {word}")


def _together(flow: Flow) -> Iterator[str]:
    """A day and a time in one breath, where the flow asks for both."""
    kinds = {slot.type for slot in flow.slots.values()}
    if not {"date", "time"} <= kinds:
        return
    days = [*callers.WEEKDAYS, *(f"next {day}" for day in callers.WEEKDAYS), "tomorrow", "today"]
    hours = cycle(list(callers.times())[len(callers.SAID["times"]) :])
    for day in days:
        for frame in ("{} at {}", "on {} at {}", "{} at {} please", "no {} at {}", "{} {}", "can we do {} at {}"):
            yield frame.format(day, next(hours))
            yield frame.format(day, next(hours))

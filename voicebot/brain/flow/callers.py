"""How callers put things: the carrier phrases and spoken values that the recogniser's language model is made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, cycle, islice

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december"]  # fmt: skip
HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
DAY_PARTS = ["in the morning", "in the afternoon", "in the evening"]

YES = ["yes", "yes please", "yeah", "yep", "sure", "okay", "ok", "correct", "that's correct", "that's right",
       "yes that's right", "yes that's correct", "yes that is right", "right", "exactly", "perfect", "sounds good",
       "that sounds good", "that works", "that's fine", "yes that works", "yes that's fine", "go ahead", "please do",
       "yes go ahead", "yes do that", "absolutely", "of course", "yes book it", "yes thank you", "yes thanks",
       "great", "that's perfect", "yes perfect", "fine", "all right", "alright", "that would be great",
       "yes that would be great", "yes exactly", "yes sure", "yep that's right", "yeah that's right",
       "yes it is", "yes i do", "i confirm", "that is correct", "mm hmm", "uh huh"]  # fmt: skip
NO = ["no", "no thanks", "no thank you", "nope", "not really", "no that's wrong", "that's wrong", "that's not right",
      "no that's not right", "that is not correct", "no that's all", "that's all", "that's it", "nothing else",
      "no that's everything", "that's everything", "no that is all thank you", "that's all thank you", "i'm good",
      "no i'm good thanks", "no it isn't", "neither", "none of them", "none of those", "no not at all",
      "no that doesn't work", "that doesn't work for me", "i don't think so", "not that one"]  # fmt: skip
TALK = ["what did you say", "can you repeat that", "could you repeat that please", "sorry", "pardon", "say again",
        "can you say that again", "say that again please", "i didn't hear you", "i didn't catch that", "come again",
        "what", "what was that", "excuse me", "one moment", "one moment please", "just a second", "hold on",
        "hang on a second", "let me think", "um let me think", "let me check", "let me see", "wait a moment", "um", "uh",
        "hello", "hello are you there", "are you still there", "thank you", "thanks", "thank you very much",
        "thanks a lot", "thank you so much", "goodbye", "bye", "bye bye", "thank you goodbye", "thanks bye",
        "have a nice day", "have a good day", "you too", "see you then", "thank you and goodbye", "great thank you",
        "can i talk to a person", "i want to talk to a person", "can i speak to someone", "let me talk to a human",
        "i'd like to speak to a human", "can you put me through to someone", "speak to a representative", "operator",
        "i want to speak to a real person", "give me a human please", "can i talk to a human", "transfer me please",
        "never mind", "forget it", "forget about it", "i changed my mind", "stop", "cancel that", "leave it",
        "i don't know", "i'm not sure", "i am not sure", "no idea", "i don't mind", "it doesn't matter",
        "i'd rather not say", "i don't want to say", "i'd prefer not to", "do you need that", "why do you need that",
        "is that necessary", "i don't have one", "skip that", "i'd rather not give it", "you don't need that",
        "i have a question", "can i ask you something", "that's not what i said", "i said", "no i said",
        "the first one", "the second one", "the third one", "the last one", "the first", "the second", "the third",
        "the earliest", "the latest", "the earlier one", "the later one", "either is fine", "any of them",
        "the first one please", "i'll take the first one", "the second one please", "another day", "another time",
        "a different day", "a different time", "something else", "something earlier", "something later"]  # fmt: skip

DATE_FRAMES = ["{}", "on {}", "{} please", "on {} please", "{} would be good", "{} works for me", "no {}", "no on {}",
               "actually {}", "actually on {}", "i said {}", "no i said {}", "make it {}", "how about {}",
               "what about {}", "can we do {}", "is {} possible", "i meant {}", "sorry {}", "change it to {}",
               "{} is fine", "for {}", "let's say {}", "um {}", "maybe {}", "do you have anything on {}",
               "could we make it {}", "could you move it to {}", "{} then", "yes but on {}", "{} if possible",
               "could i come in {}", "can i come {}", "i'd prefer {}"]  # fmt: skip
TIME_FRAMES = ["{}", "at {}", "{} please", "at {} please", "no {}", "no at {}", "actually {}", "actually at {}",
               "make it {}", "actually make it {}", "i said {}", "no i said {}", "how about {}", "what about {}",
               "can we do {}", "is {} possible", "i meant {}", "sorry {}", "change it to {}", "{} is fine", "around {}",
               "let's say {}", "um {}", "maybe {}", "{} works", "{} would be good", "i'll take {}", "i'd like {}",
               "could we make it {}", "{} then", "yes but at {}", "{} if possible", "yes at {}", "let's do {}",
               "not at {}", "at {} if possible"]  # fmt: skip
NAME_FRAMES = ["{}", "my name is {}", "it's {}", "this is {}", "i'm {}", "i am {}", "the name is {}", "for {}",
               "no it's {}", "no my name is {}", "it's under {}", "under {}", "under the name {}", "sure it's {}",
               "hi this is {}", "hello my name is {}", "hi my name is {}", "{} please", "no {}", "i said {}",
               "the appointment is for {}", "name is {}", "it is {}", "yes it's {}", "that's {}"]  # fmt: skip
PHONE_FRAMES = ["{}", "my number is {}", "it's {}", "the number is {}", "you can reach me at {}", "no it's {}",
                "my phone number is {}", "sure it's {}", "that's {}", "no {}", "yes it's {}", "it is {}"]  # fmt: skip
CHOICE_FRAMES = ["{}", "a {}", "a {} please", "the {}", "i need a {}", "i'd like a {}", "for a {}", "no {}", "no a {}",
                 "actually a {}", "it's for a {}", "just a {}", "i want a {}", "i said {}", "i meant {}", "make it a {}",
                 "it's a {}", "not a {}", "um a {}", "{} please", "a {} actually", "i think a {}"]  # fmt: skip
CODE_FRAMES = ["{}", "it's {}", "my order number is {}", "the number is {}", "order number {}", "no it's {}", "order {}",
               "number {}", "no {}", "that's {}", "the order number is {}", "it is {}", "i said {}", "sure it's {}"]  # fmt: skip
NUMBER_FRAMES = ["{}", "{} please", "for {}", "make it {}", "actually {}", "no {}", "just {}", "i said {}"]
GENERAL_DATES = ["today", "tomorrow", "the day after tomorrow", "tomorrow morning", "tomorrow afternoon", "next week",
                 "this week", "in two days", "in three days", "in four days", "in five days", "in a week",
                 "in two weeks", "a week from today", "a week from tomorrow", "two weeks from today", "any day",
                 "as soon as possible", "the earliest possible", "next month", "the next available day", "whenever",
                 "sometime next week", "the beginning of next week", "the weekend", "tonight"]  # fmt: skip
GENERAL_TIMES = ["in the morning", "in the afternoon", "in the evening", "noon", "at noon", "midday", "any time",
                 "anytime", "what do you have", "what times do you have", "what's available", "what is free",
                 "any time in the morning", "any time in the afternoon", "sometime in the morning",
                 "sometime in the afternoon", "early in the morning", "late in the afternoon", "whenever",
                 "the earliest you have", "as early as possible", "after lunch", "before lunch",
                 "first thing in the morning", "do you have anything earlier", "do you have anything later"]  # fmt: skip


def ordinals() -> list[str]:
    """first .. thirty first."""
    from num2words import num2words

    return [str(num2words(day, to="ordinal")).replace("-", " ") for day in range(1, 32)]


def dates() -> Iterator[str]:
    """Days as callers name them, each way at least once for each weekday, month and day of the month."""
    for day in WEEKDAYS:
        yield from (day, f"next {day}", f"this {day}", f"{day} next week", f"a week from {day}", f"this coming {day}")
        yield from (f"{day} morning", f"{day} afternoon", f"next {day} morning", f"next {day} afternoon")
    yield from GENERAL_DATES
    days = ordinals()
    yield from (f"the {day}" for day in days)
    for month in MONTHS:
        yield from (f"the {day} of {month}" for day in days)
        yield from (f"{month} {day}" for day in days)
    yield from (f"{weekday} the {day}" for weekday, day in zip(cycle(WEEKDAYS), days * 3, strict=False))
    named = [f"the {day} of {month}" for month, day in zip(cycle(MONTHS), days, strict=False)]
    yield from (f"{weekday} {day}" for weekday, day in zip(cycle(WEEKDAYS), named * 2, strict=False))


def times() -> Iterator[str]:
    """Times of day as callers say them."""
    yield from GENERAL_TIMES
    for hour in HOURS:
        yield from (hour, f"{hour} o'clock", f"half past {hour}", f"quarter past {hour}", f"quarter to {hour}")
        yield from (f"a quarter past {hour}", f"a quarter to {hour}", f"half {hour}")
        yield from (f"{hour} thirty", f"{hour} fifteen", f"{hour} forty five", f"{hour} ten", f"{hour} twenty")
        yield from (f"{hour} a m", f"{hour} p m", f"{hour} thirty p m", f"{hour} thirty a m", f"ten past {hour}")
        yield from (f"twenty past {hour}", f"ten to {hour}", f"twenty to {hour}", f"five past {hour}")
        yield from (f"{hour} {part}" for part in DAY_PARTS)
        yield from (f"{hour} o'clock {part}" for part in DAY_PARTS)
        yield from (f"half past {hour} {part}" for part in DAY_PARTS[:2])
    for hour in ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"]:
        yield from (f"{hour} hundred", f"{hour} thirty", f"{hour} fifteen", f"{hour} forty five")


def digits(length: int) -> Iterator[str]:
    """Digit by digit, so that every digit follows every other."""
    for start in range(10):
        for stride in range(10):
            yield " ".join(DIGITS[(start + stride * place) % 10] for place in range(length))


def names(first: list[str], last: list[str]) -> Iterator[str]:
    """Given and family names, alone and together, so that each is paired with several others."""
    given, family = [each.lower() for each in first], [each.lower() for each in last]
    yield from given
    yield from family
    if given and family:
        for shift in range(8):
            yield from (f"{each} {family[(n * 3 + shift) % len(family)]}" for n, each in enumerate(given))


def framed(values: list[str], frames: list[str], everywhere: int = 8) -> Iterator[str]:
    """The first `everywhere` values in every frame, the rest alone and in one frame each, in turn."""
    for value in values[:everywhere]:
        yield from (frame.format(value) for frame in frames)
    rest = values[everywhere:]
    yield from rest
    yield from (frame.format(value) for value, frame in zip(rest, islice(cycle(chain(frames)), len(rest)), strict=True))

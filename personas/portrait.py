"""A persona in words: a few for a table, sentences for a person who wants to know what it will do."""

from __future__ import annotations

from collections.abc import Iterator

from .line import LINES, Line
from .persona import Persona, Voice
from .temperament import ANY, Temperament

_HURRIED_MS, _SLOW_MS = 400, 1000
_HABITS = {
    "interrupts": "interrupts",
    "corrects": "corrects",
    "refuses_to_give": "refuses",
    "wants_human": "wants a person",
    "hangs_up": "hangs up",
    "digression": "digresses",
    "backchannels": "says uh-huh",
    "tics": "says um",
    "coughs": "coughs",
    "side_speech": "talks aside",
    "silences": "long silences",
    "repeats": "repeats",
}


def manner(persona: Persona) -> str:
    """'hurried, interrupts'; 'plain' when there is nothing to say."""
    manners = persona.temperament
    found = [words for habit, words in _HABITS.items() if getattr(manners, habit)]
    if manners.reaction_ms[1] <= _HURRIED_MS:
        found.insert(0, "hurried")
    if manners.reaction_ms[0] >= _SLOW_MS:
        found.insert(0, "slow to answer")
    if manners.patience <= 1:
        found.append("gives up soon")
    return ", ".join(found) or "plain"


def voice(voice: Voice) -> str:
    """'en-us+f2, 150 wpm, 12 dB softer'."""
    return ", ".join([voice.engine, f"{voice.rate_wpm} wpm", *_loudness(voice.loudness_db)])


def line(line: Line) -> str:
    """The line's name, or what it does: '8 kHz, street 15 dB, 3 % lost'."""
    named = next((name for name, known in LINES.items() if known == line), None)
    if named:
        return named
    parts = ["8 kHz"] if line.rate_hz == 8000 else []
    if line.noise:
        parts.append(f"{line.noise.kind} {line.noise.snr_db:g} dB")
    if line.loss:
        parts.append(f"{line.loss.percent:g} % lost")
    if line.muffled_hz:
        parts.append(f"muffled at {line.muffled_hz} Hz")
    return ", ".join([*parts, *_loudness(line.gain_db)])


def _loudness(db: float) -> list[str]:
    return [f"{abs(db):g} dB {'louder' if db > 0 else 'softer'}"] if db else []


def sentences(persona: Persona) -> list[str]:
    """What this caller will do, in the order of a call."""
    return [*_sound(persona), *_pace(persona.temperament), *_speaking(persona.temperament), *_matter(persona)]


def _sound(persona: Persona) -> Iterator[str]:
    yield f"Speaks with {voice(persona.voice)}, over the line '{line(persona.line)}'."
    if persona.hard:
        yield "Is too hard for the embedded recogniser: for agents with a real one."


def _pace(manners: Temperament) -> Iterator[str]:
    low_s, high_s = (ms / 1000 for ms in manners.reaction_ms)
    yield f"Answers {low_s:g} to {high_s:g} s after the agent's last sound."
    if habit := manners.silences:
        low_s, high_s = (ms / 1000 for ms in habit.pause_ms)
        where = {"before": "before the answer", "within": "in mid sentence", "either": "before or within the answer"}
        yield f"Is silent for {low_s:g} to {high_s:g} s {where[habit.where]}, {_share(habit.chance, 'turns')}."
    if interrupts := manners.interrupts:
        yield (
            f"Cuts the agent short at {_any(interrupts.at)}, up to {interrupts.times} times, "
            f"{_share(interrupts.chance, 'occasions')}."
        )


def _speaking(manners: Temperament) -> Iterator[str]:
    if tics := manners.tics:
        yield f"Says {_quoted(tics.say)} without meaning, {_share(tics.chance, 'utterances')}."
    if repeats := manners.repeats:
        yield f"Says the same twice in one breath, {_share(repeats.chance, 'answers')}."
    if murmurs := manners.backchannels:
        yield f"Murmurs while the agent speaks, {_share(murmurs.chance, f'clauses of {murmurs.min_words} words')}."
    if coughs := manners.coughs:
        yield f"Makes a sound ({', '.join(coughs.sounds)}), {_share(coughs.chance, 'clauses and pauses')}."
    if aside := manners.side_speech:
        yield f"Talks to somebody else ({_quoted(aside.say)}), {_share(aside.chance, 'clauses')}."


def _matter(persona: Persona) -> Iterator[str]:
    manners = persona.temperament
    if corrects := manners.corrects:
        when = {"same_turn": "in the same breath", "next_turn": "one turn later", "either": "at once or a turn later"}
        yield f"Says {_fact(corrects.fact)} wrong first and corrects it {when[corrects.within]}."
    if refuses := manners.refuses_to_give:
        yield f"Refuses to give {_fact(refuses.fact)}, {_times(refuses.times)}."
    if digression := manners.digression:
        yield f"Asks {_quoted(digression.ask)} instead of answering at {_any(digression.at)}."
    if human := manners.wants_human:
        yield f"Asks for a person after {_count(human.after_answers, 'answer')}."
    if goes := manners.hangs_up:
        yield f"Hangs up in the middle of the matter, after {_count(goes.after_answers, 'answer')}."
    yield f"Asks whether anybody is there after {manners.silence_ms / 1000:g} s of silence."
    yield f"Gives up at misunderstanding number {manners.patience + 1}."
    if persona.goal:
        yield f"Wants: {persona.goal}"
    elif not persona.domain:
        yield "Has no matter of its own: plays the roles of scenarios."


def _any(acts: list[str]) -> str:
    return "any question" if ANY in acts else ", ".join(f"'{act}'" for act in acts)


def _fact(fact: str) -> str:
    return "something" if fact == ANY else f"the {fact}"


def _share(chance: float, of: str) -> str:
    return f"in {chance:.0%} of {of}".replace("in 100% of", "at all")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _quoted(texts: list[str]) -> str:
    shown = [f"'{text}'" for text in texts[:3]]
    return ", ".join(shown) + (" ..." if len(texts) > 3 else "")

"""A recorded call becomes a scenario: it can be played, and nothing private is left in it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.doubles.recorded_call import RecordedCall
from voicebot.errors import BadInput
from voicebot.evals import from_call, played, scenario
from voicebot.evals.from_call.redaction import STAND_INS, Redactor
from voicebot.personas import truth
from voicebot.personas.kinds import Recording, Script
from voicebot.personas.truth import Sound

DENTAL = Path(__file__).parents[2] / "voicebot" / "templates" / "dental"
AGENT = "Bright Smile Dental"
PRIVATE = ("nina", "sanders", "555 201 4477", "5552014477", "nina.sanders@mail.example")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DENTAL, tmp_path / "dental"))


def booked() -> RecordedCall:
    """A caller gives her name and number; they come back in a tool and in what the agent says."""
    given = {"treatment": "cleaning", "time": "09:30", "name": "Nina Sanders", "phone": "555 201 4477"}
    return (
        RecordedCall(agent=AGENT, caller="+1 555 201 4477")
        .greets("Bright Smile Dental, this is Ava. How can I help you?")
        .turn("hi i need a cleaning", "Of course. May I have your name, please?")
        .turn("it's nina sanders", "And what number can we reach you on, Nina?")
        .turn(
            "five five five two zero one four four seven seven",
            "You are booked, Nina Sanders. We will call 555 201 4477.",
            tool=("book", given, {"outcome": "booked", "note": "mail nina.sanders@mail.example"}),
        )
        .turn("thank you bye", "Goodbye!")
        .ended()
    )


def heard(folder: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").casefold() for path in folder.rglob("*.jsonl"))


def call_with_sound(root: Path, told: RecordedCall) -> Path:
    """Its caller hums wherever they speak."""
    folder = told.write(root / "calls")
    sounds = [
        Sound(kind="speech", starts_ms=event.speech_end_ms - 320 * len(event.text.split()), ends_ms=event.speech_end_ms)
        for event in told.events
        if event.type == "turn_ended"
    ]
    both = np.zeros((int(16 * told.now_ms), 2), np.int16)
    for sound in sounds:
        span = slice(int(16 * sound.starts_ms), int(16 * sound.ends_ms))
        both[span, 0] = (7000 * np.sin(np.arange(span.stop - span.start) / 5)).astype(np.int16)
    both[:, 1] = 500
    soundfile.write(folder / "call.wav", both, 16000)
    return folder


def test_a_scenario_with_its_recording_appears_and_loads(root: Path) -> None:
    written = from_call.make(call_with_sound(root, booked()), root, "nina")
    evals = root / "evals"
    assert written == [root / "personas" / "recorded.yaml", evals / "nina.yaml", evals / "recordings" / "nina"]
    made = scenario.find("nina", root)
    assert made.agent == "ava"
    assert isinstance(made.caller, Recording)
    assert sorted(path.name for path in (root / made.caller.call).iterdir()) == [
        "call.wav",
        "events.jsonl",
        "truth.jsonl",
    ]
    assert made.at == datetime(2026, 11, 22, 10, 15)


def test_checks_are_what_the_agent_did_then(root: Path) -> None:
    from_call.make(call_with_sound(root, booked()), root, "nina")
    checks = scenario.find("nina", root).checks
    assert checks.ended == ["agent_hung_up"]
    (called,) = checks.called
    assert (called.tool, called.with_) == ("book", {"treatment": "cleaning", "time": "09:30"})
    text = (root / "evals" / "nina.yaml").read_text()
    assert "# private, and so not checked: name, phone" in text
    assert '#   - "You are booked' in text


def test_nothing_private_is_left_in_any_text(root: Path) -> None:
    from_call.make(call_with_sound(root, booked()), root, "nina-again")
    text = heard(root / "evals" / "recordings") + (root / "evals" / "nina-again.yaml").read_text().casefold()
    text = text.replace("nina-again", "")
    assert [each for each in PRIVATE if each in text] == []
    assert "five five five two" not in text
    assert "maria davis" in text


def test_nothing_private_is_left_in_the_sound(root: Path) -> None:
    """The private turns are spoken again; the rest is what it was, sample by sample."""
    folder = call_with_sound(root, booked())
    before, _ = soundfile.read(folder / "call.wav", dtype="int16")
    from_call.make(folder, root, "nina")
    made = root / "evals" / "recordings" / "nina"
    after, rate_hz = soundfile.read(made / "call.wav", dtype="int16")
    turns = [event for event in booked().events if event.type == "turn_ended"]
    for turn, private in zip(turns, (False, True, True, False), strict=True):
        end = int(turn.speech_end_ms / 1000 * rate_hz)
        middle = slice(end - 8000, end - 4000)
        assert (before[middle, 0] == after[middle, 0]).all() != private
        assert np.abs(after[middle, 0]).max() > 0 or private
    assert not after[:, 1].any()  # the agent may have repeated what was private
    spoken = [sound.text for sound in truth.read(made)]
    assert "it's Maria Davis" in spoken[1]
    assert STAND_INS["phone"][0] in spoken[2]


def test_what_is_spoken_again_is_heard(root: Path) -> None:
    folder = call_with_sound(root, booked())
    from_call.make(folder, root, "nina")
    made = root / "evals" / "recordings" / "nina"
    samples, rate_hz = soundfile.read(made / "call.wav", dtype="int16")
    for sound in truth.read(made)[1:3]:
        span = slice(int(sound.starts_ms / 1000 * rate_hz), int(sound.ends_ms / 1000 * rate_hz))
        assert np.abs(samples[span, 0]).max() > 3000
        assert sound.ends_ms - sound.starts_ms > 700


def test_the_short_answer_to_a_question_for_a_name_is_private_however_it_was_understood(root: Path) -> None:
    told = RecordedCall(agent=AGENT).greets("May I have your name, please?").turn("near a lopes us", "Thanks.")
    told.turn("is it far to the station from there", "No.").ended()
    from_call.make(call_with_sound(root, told), root, "misheard")
    text = heard(root / "evals" / "recordings" / "misheard")
    assert "near a lopes" not in text
    assert "is it far to the station" in text


def test_an_answer_that_may_hold_something_private_is_pointed_out(root: Path) -> None:
    told = RecordedCall(agent=AGENT).greets("May I have your name, please?")
    told.turn("well i would rather know first what it costs", "Eighty dollars.").ended()
    from_call.make(call_with_sound(root, told), root, "asks")
    assert "# Turn 1 answers a question for private data" in (root / "evals" / "asks.yaml").read_text()


def test_a_record_that_was_kept_redacted_is_spoken_with_invented_values(root: Path) -> None:
    told = RecordedCall(agent=AGENT).greets("Hello.").turn("it's [name 1] and my card is [card 1]", "Thanks.").ended()
    from_call.make(call_with_sound(root, told), root, "kept")
    (sound,) = truth.read(root / "evals" / "recordings" / "kept")
    assert sound.text == f"it's Maria Davis and my card is {STAND_INS['card'][0]}"


def test_one_person_has_one_name() -> None:
    told = RecordedCall().greets("May I have your name?").turn("nina sanders", "Thanks, Nina.")
    redactor = Redactor(told.turn("my sister is Paula Young", "Fine.").events, "en")
    assert redactor.text("Nina Sanders, or Nina, and Paula Young") == "Maria Davis, or Maria, and James Carter"


def test_a_typed_call_becomes_a_script(root: Path) -> None:
    told = booked().ended("caller_hung_up")
    folder = told.write(root / "calls", audio=False)
    path = folder / "events.jsonl"
    path.write_text(path.read_text().replace('"rate_hz":16000', '"rate_hz":0'))
    written = from_call.make(folder, root, "typed")
    assert [path.name for path in written] == ["recorded.yaml", "typed.yaml"]
    made = scenario.find("typed", root)
    assert made.channel == "text"
    assert isinstance(made.caller, Script)
    says = [turn.say for turn in made.caller.turns]
    assert says == ["hi i need a cleaning", "it's Maria Davis", STAND_INS["phone"][0], "thank you bye", ""]
    assert made.caller.turns[-1].hang_up


def test_a_script_made_of_a_call_can_be_played(root: Path) -> None:
    told = RecordedCall(agent=AGENT).greets("Hello.").turn("how much is a cleaning", "Eighty.").ended("caller_hung_up")
    folder = told.write(root / "calls", audio=False)
    path = folder / "events.jsonl"
    path.write_text(path.read_text().replace('"rate_hz":16000', '"rate_hz":0'))
    from_call.make(folder, root, "price")
    calls = played.play(played.plan(root, played.Wish(scenario="price")), root / "played")
    calls.should_pass()
    assert "caller  how much is a cleaning" in calls.transcript


def test_a_recording_made_of_a_call_can_be_played(root: Path) -> None:
    """By sound: the caller of a simulated call, once more."""
    asks = root / "evals" / "asks.yaml"
    asks.write_text(
        "name: asks\ngoal: asks\nagent: ava\npersona: maria\ncaller: {turns: [{say: can I speak to a person please}]}\n"
        "checks: {handed_over: true}\n"
    )
    first = played.play(played.plan(root, played.Wish(scenario="asks")), root / "first")
    first.should_pass()
    from_call.make(first.folders[0], root, "again")
    again = played.play(played.plan(root, played.Wish(scenario="again")), root / "again")
    again.should_pass()
    assert "to a person" in again.transcript


def test_nothing_is_overwritten_and_nothing_is_left_half_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = call_with_sound(root, booked())
    from_call.make(folder, root, "nina")
    with pytest.raises(BadInput, match=r"nina\.yaml exists already"):
        from_call.make(folder, root, "nina")
    (root / "evals" / "nina.yaml").unlink()
    with pytest.raises(BadInput, match="recordings/nina exists already"):
        from_call.make(folder, root, "nina")
    before = sorted(root.rglob("*"))
    monkeypatch.setattr(scenario, "load", _raises)
    with pytest.raises(BadInput, match="broken"):
        from_call.make(folder, root, "other")
    assert sorted(root.rglob("*")) == before


def _raises(path: Path) -> None:
    raise BadInput("broken")


@pytest.mark.parametrize(
    ("told", "name", "says"),
    [
        (RecordedCall(agent=AGENT, pid=0).greets("Hello.").turn("hi", "Yes?"), "x", r"has no end \(cut off"),
        (RecordedCall(agent=AGENT).greets("Hello.").ended(), "x", "holds nothing that a caller said"),
        (RecordedCall(agent="Bright Smile Dentel").greets("Hi.").turn("hi", "Bye.").ended(), "x", "mean 'Bright"),
        (booked(), "../x", "cannot be the name"),
        (booked(), "", "cannot be the name"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_replayed_is_told_so(root: Path, told: RecordedCall, name: str, says: str) -> None:
    folder = told.write(root / "calls")
    with pytest.raises(BadInput, match=says):
        from_call.make(folder, root, name)


def test_a_recording_that_is_no_sound_is_told_so(root: Path) -> None:
    folder = booked().write(root / "calls")
    (folder / "call.wav").write_bytes(b"no sound")
    with pytest.raises(BadInput, match="cannot be read as sound"):
        from_call.make(folder, root, "x")
    with pytest.raises(BadInput, match="this is not a call"):
        from_call.make(root, root, "x")


def test_hostile_words_stay_words(root: Path) -> None:
    """What a caller or a tool said may look like YAML; it ends no line and no comment."""
    nasty = 'a: [b\n# "c\u2028\x85{d}\\\U0001f600'
    told = RecordedCall(agent=AGENT, call_id="hostile").greets("Hello.")
    told.turn(nasty, nasty, tool=("look", {nasty: nasty}, nasty)).ended(detail=nasty)
    from_call.make(told.write(root / "calls", audio=False), root, "nasty")
    made = scenario.find("nasty", root)
    assert isinstance(made.caller, Script)
    assert made.caller.turns[0].say == nasty
    assert made.checks.called[0].with_ == {nasty: nasty}
    assert json.loads(json.dumps(made.checks.ended)) == ["agent_hung_up"]

"""KPIs: each definition of docs/kpis.md with its worked example, and how they are asked for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doubles.recorded_call import RecordedCall, Took
from voicebot import events
from voicebot.brain.nlu import Utterance
from voicebot.brain.nlu.acts import find_acts
from voicebot.errors import BadInput
from voicebot.evals.scores.timeline import agent_speech
from voicebot.events import Event
from voicebot.money.costs import costs, total_usd
from voicebot.money.prices import prices
from voicebot.store import kept, kpis, views


def call(name: str, **about: Any) -> RecordedCall:
    return RecordedCall(f"20261122-101500-{name}", **about).greets("Hello.")


def answered(name: str, **about: Any) -> RecordedCall:
    return call(name, **about).turn("i would like to book", "Which day?")


def ask(folder: Path, *names: str, by: str = "", where: str = "") -> list[kpis.Row]:
    question = kpis.Question([by] if by else [], names, where=where)
    return kpis.ask(folder / "calls", question)


def figure(folder: Path, name: str, where: str = "") -> tuple[object, int]:
    (row,) = ask(folder, name, where=where)
    found = row.figures[name]
    return (None if found.value is None else pytest.approx(found.value)), found.n


def write(folder: Path, *made: RecordedCall) -> Path:
    for each in made:
        each.write(folder / "calls", audio=False)
    return folder


def raw(folder: Path, name: str, told: list[Event]) -> None:
    place = folder / "calls" / name
    place.mkdir(parents=True)
    (place / "events.jsonl").write_text("".join(event.model_dump_json() + "\n" for event in told))


# -- the worked examples -----------------------------------------------------------------------------------------------


def ten_calls(folder: Path) -> Path:
    """Five contained, two transferred, two abandoned, one failed, one interrupted by its operator and one running."""
    contained = [answered(f"c{n}").ended("caller_hung_up") for n in range(4)] + [answered("c4").ended()]
    transferred = [answered(f"t{n}").ended("handed_over") for n in range(2)]
    left = call("a0").turn("hello", None)
    left.now_ms += 6000
    abandoned = [left.ended("caller_hung_up"), call("a1").ended("caller_hung_up")]
    others = [answered("f0").ended("failed"), answered("i0").ended("interrupted"), answered("r0")]
    return write(folder, *contained, *transferred, *abandoned, *others)


def test_every_call_that_came_to_an_end_has_one_outcome(tmp_path: Path):
    ten_calls(tmp_path)
    assert figure(tmp_path, "containment") == (0.5, 10)
    assert figure(tmp_path, "transfer") == (0.2, 10)
    assert figure(tmp_path, "abandonment") == (0.2, 10)
    assert figure(tmp_path, "failure") == (0.1, 10)
    rows = ask(tmp_path, "cost", by="outcome")
    expected = {"contained": 5, "transferred": 2, "abandoned": 2, "failed": 1, "none": 2}
    assert {row.group["outcome"]: row.calls for row in rows} == expected


def test_who_says_goodbye_and_hangs_up_has_not_been_kept_waiting(tmp_path: Path):
    write(tmp_path, answered("a").turn("thanks bye", None).ended("caller_hung_up"))
    assert figure(tmp_path, "abandonment") == (0, 1)


def test_a_caller_who_falls_silent_has_left(tmp_path: Path):
    silent = answered("a")
    silent.events += [events.CallerSilent(t_ms=silent.now_ms, turn=1, times=times) for times in (1, 2, 3)]
    write(tmp_path, silent.ended("agent_hung_up", "the caller was silent"))
    assert figure(tmp_path, "abandonment") == (1, 1)
    assert figure(tmp_path, "completion") == (None, 0)


def test_a_call_that_was_ended_for_its_cost_has_failed(tmp_path: Path):
    write(tmp_path, answered("a").ended("agent_hung_up", "budget"))
    assert figure(tmp_path, "failure") == (1, 1)


def test_completion_is_a_tool_that_worked_or_a_goodbye_of_the_agents(tmp_path: Path):
    tool: Any = ("book", {"day": "2026-11-24"}, "booked")
    write(
        tmp_path,
        answered("a").turn("tuesday", "Booked.", tool=tool).ended("caller_hung_up"),
        answered("b").ended("agent_hung_up", "goodbye"),
        answered("c").ended("caller_hung_up"),
        answered("d").ended("handed_over"),
        answered("e", agent="Opening hours").ended("caller_hung_up"),  # has no task that could be seen
    )
    assert figure(tmp_path, "completion") == (0.5, 4)
    rows = ask(tmp_path, "completion", by="agent")
    found = {row.group["agent"]: row.figures["completion"] for row in rows}
    assert found["Opening hours"] == kpis.Figure(None, 0)


def example() -> list[Event]:
    """10 s: the agent speaks 0.5-2.5, the caller 2.0-4.0 and 6.0-7.0, the agent 8.0-9.5 with a pause of 0.4 s in it."""
    start = RecordedCall("example").events[0]
    return [
        start,
        events.AgentSpeechStarted(t_ms=500),
        events.CallerSpeechStarted(t_ms=2100, turn=1, speech_start_ms=2000),
        events.AgentSpeechStopped(t_ms=2500, heard="Hello", said="Hello there.", interrupted=True),
        events.CallerSpeechStopped(t_ms=3200, turn=1, speech_end_ms=3000),  # a pause in the turn
        events.CallerSpeechStopped(t_ms=4200, turn=1, speech_end_ms=4000),
        events.CallerSpeechStarted(t_ms=6100, turn=2, speech_start_ms=6000),
        events.CallerSpeechStopped(t_ms=7200, turn=2, speech_end_ms=7000),
        events.AgentSpeechStarted(t_ms=8000, turn=2),
        events.AgentPaused(t_ms=8500, turn=2, speech_start_ms=8400),
        events.AgentResumed(t_ms=8900, turn=2),
        events.AgentSpeechStopped(t_ms=9500, turn=2, heard="Yes.", said="Yes.", interrupted=False),
        events.CallEnded(t_ms=10000, turn=2, reason="caller_hung_up"),
    ]


def test_silence_is_when_nobody_speaks_and_talk_the_agents_part(tmp_path: Path):
    raw(tmp_path, "example", example())
    # agent 2.0 + 1.5, caller 2.0 + 1.0, both at once 0.5: somebody spoke for 6.0 of 10 s
    assert figure(tmp_path, "silence") == (0.4, 10_000)
    assert figure(tmp_path, "talk") == (3.5 / 6.5, 6500)


def test_interruptions_are_replies_that_were_cut_off(tmp_path: Path):
    raw(tmp_path, "example", example())
    assert figure(tmp_path, "interruption") == (0.5, 2)


def test_repeats_are_turns_that_did_not_hear_or_understand_the_agent(tmp_path: Path):
    said = ["sorry what did you say", "on tuesday", "What? Pardon me?", "what is the price"]
    asked = call("a")
    for text in said:
        asked.turn(text, "On Tuesday.")
    write(tmp_path, asked.ended())
    assert figure(tmp_path, "repeat") == (0.5, 4)


@pytest.mark.parametrize(
    "text",
    [
        *("what", "Sorry, could you repeat that please?", "I didn't catch that.", "huh", "um what was that again"),
        *(
            "what time",
            "sorry",
            "yes please",
            "I don\u2019t understand",
            "can you hear me hello",
            "once more on friday",
        ),
        *("", "pardon my french but no", "no", "well", "are you there are you there"),
    ],
)
def test_repeats_are_what_the_brain_takes_for_one(tmp_path: Path, text: str):
    acts = find_acts(Utterance.of(text))
    expected = "repeat" in acts and acts.only("repeat", "correct")
    with views.connect(tmp_path) as db:
        assert db.execute("select asks_again(?)", [text]).fetchone() == (expected,)


def test_latency_is_pooled_over_the_turns_of_all_calls(tmp_path: Path):
    fast, slow = Took(), Took(brain=642.0)  # 364 and 1000 ms
    one = call("a").turn("one", "Yes.", took=fast).turn("two", "Yes.", took=fast).ended()
    write(tmp_path, one, call("b").turn("one", "Yes.", took=slow).turn("two", None).ended())
    assert figure(tmp_path, "v2v_p50") == (364, 3)
    assert figure(tmp_path, "v2v_p95") == (364 + 0.9 * 636, 3)


def test_tools_that_failed_count_and_a_business_no_does_not(tmp_path: Path):
    made = answered("a").turn("tuesday", "No.", tool=("find", {}, "no slot free"))
    returned: Any = {"id": "x", "name": "book", "result": "down", "duration_ms": 1.0}
    made.events.append(events.ToolReturned(t_ms=made.now_ms, turn=2, ok=False, **returned))
    write(tmp_path, made.ended())
    assert figure(tmp_path, "tools") == (0.5, 2)


def test_cost_a_call_and_an_outcome(tmp_path: Path):
    paid = [call(f"p{n}").turn("hi", "Hi.", used=(1000, 0, 10, 0.02)).ended() for n in range(2)]
    unknown = call("u").turn("hi", "Hi.", used=(1000, 0, 10, None))
    unknown.events[-4:] = [
        e.model_copy(update={"provider": "some/model"}) if isinstance(e, events.ModelUsed) else e
        for e in unknown.events[-4:]
    ]
    left = call("l").turn("hi", "Hi.", used=(1000, 0, 10, 0.05)).ended("handed_over")
    write(tmp_path, *paid, left, unknown.ended())
    assert figure(tmp_path, "cost") == (0.03, 3)  # 0.09 dollars, three calls; nobody knows what the fourth cost
    assert figure(tmp_path, "cost_contained") == (0.045, 2)


def test_what_was_not_measured_has_no_value(tmp_path: Path):
    (tmp_path / "calls").mkdir()
    (row,) = ask(tmp_path)
    assert row.calls == 0
    assert {found.value for found in row.figures.values()} == {None}
    write(tmp_path, call("typed").ended("caller_hung_up"))
    for name in ("v2v_p50", "tools", "repeat", "completion"):
        assert figure(tmp_path, name) == (None, 0), name


# -- one definition, in SQL and in Python ------------------------------------------------------------------------------

gap = st.floats(10, 3000).map(lambda ms: round(ms))
pauses = st.lists(st.tuples(gap, gap), max_size=3)
replies = st.lists(st.tuples(gap, pauses, st.booleans(), gap), max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=replies)
def test_the_agent_speaks_when_the_timeline_of_evals_says_so(tmp_path_factory: pytest.TempPathFactory, said: Any):
    told = [RecordedCall("one").events[0]]
    now = 0.0
    for wait, stops, cut_short, rest in said:
        now += wait
        told.append(events.AgentSpeechStarted(t_ms=now))
        for after, silent in stops:
            told.append(events.AgentPaused(t_ms=now + after, speech_start_ms=now))
            now += after + silent
            told.append(events.AgentResumed(t_ms=now))
        if cut_short:
            now += 50
            told.append(events.AgentPaused(t_ms=now, speech_start_ms=now))
        now += rest
        told.append(events.AgentSpeechStopped(t_ms=now, heard="", said="", interrupted=cut_short))
    folder = tmp_path_factory.mktemp("calls")
    raw(folder, "one", [*told, events.CallEnded(t_ms=now + 1, reason="caller_hung_up")])
    with views.connect(folder / "calls") as db:
        found = db.execute("select starts_ms, ends_ms from speech where who = 'agent' order by 1").fetchall()
    assert found == [(run.starts_ms, run.ends_ms) for run in agent_speech(told).runs]


priced = st.sampled_from([None, 0.0, 0.01])
used = st.one_of(
    st.builds(
        events.ModelUsed,
        t_ms=st.just(1.0),
        provider=st.sampled_from(["openai/gpt-4.1-mini", "anthropic/claude-haiku-5-5", "some/model"]),
        input_tokens=st.integers(1000, 200_000),
        cached_tokens=st.integers(0, 1000),
        output_tokens=st.integers(0, 500),
        cost_usd=priced,
    ),
    st.builds(
        events.SpeechUsed,
        t_ms=st.just(1.0),
        kind=st.just("stt"),
        provider=st.sampled_from(["deepgram/nova-3", "sphinx", "else/x"]),
        seconds=st.floats(0, 60),
        cost_usd=priced,
    ),
    st.builds(
        events.SpeechUsed,
        t_ms=st.just(1.0),
        kind=st.just("tts"),
        provider=st.sampled_from(["elevenlabs/flash-v2.5:rachel", "espeak/en", "else/x"]),
        characters=st.integers(0, 500),
        cost_usd=priced,
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    things=st.lists(used, max_size=6),
    ears=st.sampled_from(["", "sphinx", "deepgram/nova-3", "else/x"]),
    line=st.sampled_from(["link", "twilio"]),
)
def test_a_call_costs_what_the_sum_of_its_parts_says(
    tmp_path_factory: pytest.TempPathFactory, things: list[Event], ears: str, line: str
):
    folder = tmp_path_factory.mktemp("calls")
    made = answered("one", transport=line).turn("and on friday", "Nine.").ended()
    made.events[0] = made.events[0].model_copy(update={"stt": ears, "tts": "elevenlabs/v3:rachel"})
    told = [*made.events[:-1], *things, made.events[-1]]
    raw(folder, "one", told)
    expected = total_usd(costs(told, prices()))
    with kept.connect(folder / "calls") as db:
        ((found, unpriced),) = db.execute("select cost_usd, unpriced from facts").fetchall()
    assert found == (None if expected is None else pytest.approx(expected))
    assert bool(unpriced) == (expected is None)


# -- asking ------------------------------------------------------------------------------------------------------------


def test_groups_conditions_and_times(tmp_path: Path):
    write(
        tmp_path,
        answered("a", started_at="2026-11-20T23:30:00+01:00").ended(),
        answered("b", started_at="2026-11-22T10:00:00+01:00").ended(),
        answered("c", started_at="2026-11-22T11:00:00+01:00", agent="Ben").ended(),
    )
    rows = kpis.ask(tmp_path / "calls", kpis.Question(["agent", "day"], ["containment"]))
    assert [(*row.group.values(), row.calls) for row in rows] == [
        ("Ben", "2026-11-22", 1),
        ("Bright Smile Dental", "2026-11-20", 1),
        ("Bright Smile Dental", "2026-11-22", 1),
    ]
    late = kpis.Question(since=kpis.since("2026-11-22T10:30:00+01:00"))
    assert kpis.ask(tmp_path / "calls", late)[0].calls == 1
    assert ask(tmp_path, where="agent = 'Ben' or day < '2026-11-21' -- both")[0].calls == 2


def test_times_ago_and_dates():
    now = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    assert kpis.since("7d", now) == now - timedelta(days=7)
    assert kpis.since("90m", now) == now - timedelta(minutes=90)
    assert kpis.since("2026-11-20").isoformat().startswith("2026-11-20T00:00:00")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (kpis.Question(["agnet"]), "cannot be grouped by 'agnet'. Did you mean 'agent'?"),
        (kpis.Question(kpis=["containmnt"]), "no KPI 'containmnt'. Did you mean 'containment'?"),
        (kpis.Question(where="duration > 3"), '--where: Binder Error: Referenced column "duration" not found'),
        (kpis.Question(where="agent in (select content from read_text('/etc/passwd'))"), "--where: "),
    ],
)
def test_a_wrong_question_says_what_is_wrong(tmp_path: Path, question: kpis.Question, said: str):
    (tmp_path / "calls").mkdir()
    with pytest.raises(BadInput) as wrong:
        kpis.ask(tmp_path / "calls", question)
    assert said in str(wrong.value)
    with pytest.raises(BadInput):
        kpis.since("last week")


def test_every_kpi_is_on_its_page():
    page = (Path(__file__).parents[2] / "docs" / "kpis.md").read_text()
    assert [kpi.name for kpi in kpis.KPIS if f"`{kpi.name}`" not in page] == []
    assert [name for name in kpis.GROUPS if f"`{name}`" not in page] == []


def test_json_is_not_needed_to_have_one_shape(tmp_path: Path):
    """Fields of a later version are passed over."""
    log = tmp_path / "calls" / "a"
    log.mkdir(parents=True)
    lines = [json.loads(event.model_dump_json()) | {"later": {"x": 1}} for event in answered("a").ended().events]
    (log / "events.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert figure(tmp_path, "containment") == (1, 1)

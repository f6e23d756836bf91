from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("psutil", reason="psutil is not installed (extra 'server')")

from voicebot.evals.bench.calls import shown
from voicebot.evals.bench.calls.budget import OURS, PEERS, verdict
from voicebot.evals.bench.calls.caller import Reply
from voicebot.evals.bench.calls.figures import Figures, added, figures, strictly_added
from voicebot.evals.bench.calls.level import Conditions, Measured
from voicebot.evals.bench.calls.search import Search
from voicebot.evals.bench.calls.study import Study


def reply(after_s: float | None, gap_s: float = 0.0) -> Reply:
    """To a caller who spoke from 10 s to 12 s, and of whom the VAD was sure at 12.2 s."""
    return Reply(10.0, 12.0, 12.2, None if after_s is None else 12.2 + after_s, gap_s, 2.0)


def measured(calls: int = 4, system: str = "voicebot", after_s: tuple[float | None, ...] = (0.1, 0.2)) -> Measured:
    return Measured(
        system=system,
        calls=calls,
        window_s=30.0,
        replies=[reply(each) for each in after_s],
        lost=[],
        setups_s=[0.01, 0.03],
        callers_late_ms=1.0,
        cpu_s=2.0,
        memory_mb_per_call=1.5,
        foreign_s=0.3,
    )


def test_figures_are_counted_from_the_right_moments():
    found = figures(replace(measured(), replies=[reply(0.1), reply(0.2, gap_s=0.05), reply(None)]))
    assert (found.turns, found.answered) == (3, 2)
    assert found.reply
    assert [found.reply.p50, found.reply.p95] == pytest.approx([150, 195])
    assert found.after_speech
    assert found.after_speech.p50 == pytest.approx(350)
    assert found.gap_ms == pytest.approx(50)
    assert found.setup
    assert found.setup.p95 == pytest.approx(29)
    assert found.cpu_s_per_call_minute == pytest.approx(1.0)  # 2 s of 4 calls in half a minute
    assert found.foreign == pytest.approx(0.01)


def test_what_an_engine_adds_is_beyond_the_bare_models_under_as_many_calls():
    ours, floor = figures(measured()), figures(measured(system="bare", after_s=(0.08, 0.16)))
    found = added(ours, floor, smart_turn_ms=50.0)
    assert found
    assert [found.p50, found.p95] == pytest.approx([30, 39])
    assert found.beyond == "the bare models"


def test_a_floor_that_does_not_keep_up_is_none():
    ours, floor = figures(measured()), figures(measured(system="bare", after_s=(0.08, None)))
    found = added(ours, floor, smart_turn_ms=50.0)
    assert found == strictly_added(ours, 50.0)
    assert found
    assert found.p95 == pytest.approx(145)
    assert found.beyond == "one turn model"


def broken(found: Figures, *, added_ms: float = 10.0) -> list[str]:
    strict = strictly_added(found, found.reply.p95 - added_ms if found.reply else 0.0)
    return [breach.what for breach in verdict(found, strict, OURS).broken]


def test_a_level_fits_when_nothing_is_broken():
    assert broken(figures(measured())) == []


def test_each_budget_can_break():
    good = measured()
    assert broken(figures(good), added_ms=51.0) == ["engine-added latency p95"]
    assert broken(figures(replace(good, replies=[reply(0.1), reply(None)]))) == ["turns answered"]
    assert broken(figures(replace(good, replies=[reply(0.1, gap_s=0.061)]))) == ["audio gap"]
    assert broken(figures(replace(good, setups_s=[0.101]))) == ["set-up p95"]
    assert broken(figures(replace(good, setups_s=[]))) == ["set-up"]
    assert broken(figures(replace(good, memory_mb_per_call=5.1))) == ["memory per call"]
    assert broken(figures(replace(good, lost=["cut off by the server"]))) == ["calls lost"]


def test_a_peer_is_asked_about_its_conversations_alone():
    slow = figures(replace(measured(), setups_s=[0.5], memory_mb_per_call=60.0))
    assert verdict(slow, None, PEERS).fits
    assert not verdict(slow, None, OURS).fits


def test_late_callers_judge_nobody():
    late = figures(replace(measured(), callers_late_ms=10.1, lost=["cut off by the server"]))
    assert not verdict(late, None, OURS).judged
    assert not verdict(late, None, OURS).fits


def pretending(limits: dict[str, int]) -> Study:
    """A study of systems that answer everything up to their limits, and half of it above."""

    async def measure(system: str, calls: int, under: Conditions) -> Measured:
        return measured(calls, system, (0.1, 0.1) if calls <= limits[system] else (0.1, None))

    return Study(Conditions([], 30.0), smart_turn_ms=90.0, peers=("pipecat", "bare"), measure=measure)


async def test_the_floor_is_measured_at_the_levels_of_the_others_until_it_breaks():
    study = pretending({"voicebot": 40, "bare": 20, "pipecat": 5})
    best = {name: await study.ramp(name, Search(fineness=0.2)) for name in ("voicebot", "pipecat")}
    assert best == {"voicebot": 40, "pipecat": 5}
    floors = [row.figures.calls for row in study.rows if row.figures.system == "bare"]
    assert floors == [4, 8, 16, 32, 6, 5]  # and neither 64 nor 40 and 48, which are above 32
    text = "\n".join(shown.findings(study.rows, best))
    assert "voicebot: 40 calls inside the budget; at 48: turns answered: 1 of 2." in text
    assert "voicebot carries 8.0 times as many as pipecat." in text
    assert "bare models themselves do not keep up with 32 calls" in text


async def test_the_chart_marks_the_budget():
    study = pretending({"voicebot": 10, "bare": 100, "pipecat": 1})
    study.peers = ()
    study.smart_turn_ms = 25.0
    await study.at("voicebot", 4)
    study.smart_turn_ms = 75.0
    await study.at("voicebot", 8)
    first, *bars = [line for line in shown.latencies(study.rows, OURS) if line]
    assert "budget of 50 ms" in first
    beyond, inside = (line.partition("│") for line in bars)
    assert beyond[2].startswith("▒")
    assert beyond[2].endswith("75 ms  broken")
    assert inside[2].lstrip().startswith("25 ms  inside")
    assert beyond[0].count("█") == 2 * inside[0].count("█")

"""A recogniser that fails in mid-utterance: the next one hears all of it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from voicebot import clock
from voicebot.providers import Candidate
from voicebot.stt import STT, Transcript, failover
from voicebot.stt.failover import Ears

AUDIO = [bytes([number]) * 640 for number in range(1, 6)]


class Recogniser:
    """Understands as many words as chunks it was fed. Breaks in `breaks_in` ('load', 'start', 'feed', 'finish'), or
    hangs in finish."""

    def __init__(self, name: str, breaks_in: str = "", *, hangs: bool = False) -> None:
        self.name = name
        self.breaks_in = breaks_in
        self.hangs = hangs
        self.stretches = 0
        self.closed = 0

    def _may_break(self, where: str) -> None:
        if self.breaks_in == where:
            raise ConnectionError(f"broke in {where}")

    async def load(self) -> None:
        self._may_break("load")

    def stream(self, rate_hz: int, on_interim: Callable[[str], None]) -> Recogniser:
        return self

    def start(self) -> None:
        self._may_break("start")
        self.stretches += 1
        self._fed = bytearray()

    def feed(self, pcm: bytes) -> None:
        if len(self._fed) >= 1280:
            self._may_break("feed")
        self._fed += pcm

    async def finish(self) -> Transcript:
        self._may_break("finish")
        if self.hangs:
            await asyncio.sleep(3600)
        return Transcript(f"{self.name} heard {len(self._fed) // 640}")

    def cancel(self) -> None: ...

    async def close(self) -> None:
        self.closed += 1


def _itself(recogniser: Recogniser) -> Recogniser:
    return recogniser


def heard(*recognisers: Recogniser, times: int = 1) -> tuple[str, list[tuple[str, str]]]:
    reports: list[tuple[str, str]] = []

    async def listen() -> str:
        candidates: list[Candidate[STT]] = [Candidate(one.name, partial(_itself, one)) for one in recognisers]
        ears = Ears(candidates, lambda name, error, remedy: reports.append((name, remedy)))
        await ears.load()
        stream = ears.stream(16000, lambda text: None)
        transcript = Transcript("")
        for _ in range(times):
            stream.start()
            for pcm in AUDIO:
                stream.feed(pcm)
            transcript = await stream.finish()
        await stream.close()
        return transcript.text

    return clock.run(listen()), reports


def test_a_recogniser_that_works_is_alone():
    second = Recogniser("b")
    assert heard(Recogniser("a"), second) == ("a heard 5", [])
    assert not second.stretches


@pytest.mark.parametrize("where", ["load", "start", "feed", "finish"])
def test_the_next_one_hears_the_whole_utterance(where):
    text, reports = heard(Recogniser("a", where), Recogniser("b"))
    assert text == "b heard 5"
    assert ("a", "next: b") in reports


def test_a_recogniser_that_hangs_at_the_end_is_given_up(monkeypatch):
    monkeypatch.setattr(failover, "FINISH_S", 0.2)
    text, reports = heard(Recogniser("a", hangs=True), Recogniser("b"))
    assert text == "b heard 5"
    assert reports == [("a", "next: b")]


def test_all_broken_is_an_error():
    with pytest.raises(ConnectionError, match="broke in finish"):
        heard(Recogniser("a", "feed"), Recogniser("b", "finish"))


def test_one_that_fails_again_and_again_is_left_alone_for_a_while():
    first = Recogniser("a", "finish")
    text, reports = heard(first, Recogniser("b"), times=6)
    assert text == "b heard 5"
    assert first.stretches == 3
    assert len(reports) == 3

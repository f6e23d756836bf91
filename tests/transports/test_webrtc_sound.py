"""The parts of a browser's line that need no browser: what is heard of it, and what of the agent was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest

pytest.importorskip("aiortc", reason="aiortc is not installed (extra 'webrtc')")

from aiortc import RTCRtpReceiver

from voicebot import clock
from voicebot.transports.webrtc import NoOffer, offer, said
from voicebot.transports.webrtc.speech import HOLD_S, Speech
from voicebot.transports.webrtc.thirds import Thirds

FRAME = 640
"""20 ms at 16 kHz, in bytes."""


def sine(hz: float, seconds: float = 1.0) -> bytes:
    return (10_000 * np.sin(2 * np.pi * hz * np.arange(int(48_000 * seconds)) / 48_000)).astype(np.int16).tobytes()


def power_db(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, np.int16).astype(float)[1600:-1600]
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) / 10_000 * np.sqrt(2) + 1e-9))


def test_a_third_of_the_samples_keeps_what_16_khz_can_hold_and_nothing_else():
    assert power_db(Thirds()(sine(1000))) == pytest.approx(0, abs=0.1)
    assert power_db(Thirds()(sine(6000))) == pytest.approx(0, abs=0.5)
    for hz in (9000, 12_000, 15_000):
        assert power_db(Thirds()(sine(hz))) < -45, hz


def test_20_ms_in_are_20_ms_out_at_once_and_the_pieces_do_not_matter():
    pcm = sine(440)
    whole, pieces = Thirds(), Thirds()
    assert [len(pieces(pcm[at : at + 1920])) for at in range(0, 19200, 1920)] == [640] * 10
    odd, sizes = Thirds(), iter([2, 4, 1000, 6, 1918] * 100)
    out, at = b"", 0
    while at < len(pcm):
        size = next(sizes)
        out += odd(pcm[at : at + size])
        at += size
    assert out == whole(pcm)


def test_aiortc_still_has_the_buffer_that_is_replaced():
    assert "_RTCRtpReceiver__jitter_buffer" in RTCRtpReceiver.__init__.__code__.co_names


def on_a_line(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    clock.run(scene(), skip_idle=True)


def test_what_was_sent_counts_as_heard_when_it_has_arrived_and_the_browser_is_there():
    async def scene() -> None:
        speech, taker = Speech(16_000), object()
        speech.taker = taker
        speech.delay(0.1)
        speech.play(bytes(3 * FRAME))
        assert speech.take(object()) is None, "a connection that was replaced takes nothing"
        assert speech.take(taker) == bytes(FRAME)
        await asyncio.sleep(0.2)
        assert speech.played() == 0, "nobody knows whether the browser is still there"
        speech.came()
        assert speech.played() == 320
        speech.take(taker)
        speech.clear()
        assert speech.take(taker) is None
        await asyncio.sleep(0.2)
        speech.came()
        assert speech.played() == 640, "what was sent before it was cleared sounds"

    on_a_line(scene)


def test_what_went_out_into_nothing_is_said_again_but_not_what_was_cleared():
    async def scene() -> None:
        speech, taker = Speech(16_000), object()
        speech.taker = taker
        words = [bytes([number]) * FRAME for number in range(1, 8)]
        speech.play(b"".join(words))
        assert [speech.take(taker) for _ in range(2)] == words[:2]
        await asyncio.sleep(0.5)
        speech.came()
        await asyncio.sleep(0.02)
        assert [speech.take(taker) for _ in range(2)] == words[2:4]
        await asyncio.sleep(HOLD_S + 0.1)
        assert speech.take(taker) is None, "the agent waits"
        assert speech.played() == 640
        speech.came()
        assert [speech.take(taker) for _ in range(3)] == words[2:5]
        speech.clear()
        await asyncio.sleep(HOLD_S + 0.1)
        assert speech.take(taker) is None
        speech.came()
        assert speech.take(taker) is None

    on_a_line(scene)


def test_what_a_page_cannot_say_is_left_out():
    assert said.read('{"type":"here","delay_ms":80}') == said.Here(type="here", delay_ms=80)
    nothings = [
        b"{}", "", "{", "[]", '{"type":"say"}', '{"type":"text","text":" "}', '{"type":"keys","keys":"x"}',
        '{"type":"here","delay_ms":-1}', '{"type":"here","delay_ms":NaN}', '{"type":"text","text":"' + "x" * 5000,
    ]  # fmt: skip
    for nothing in nothings:
        assert said.read(nothing) is None, nothing


def test_an_address_is_used_only_when_it_is_one_of_a_network():
    for host, kind in (("192.0.2.7", "host"), ("2001:db8::7", "srflx")):
        assert offer.address(offer.Candidate(f"candidate:1 1 udp 2 {host} 9999 typ {kind}", "0"))
    for text in ("x.local 9999 typ host", "224.0.0.1 9999 typ host", "0.0.0.0 9 typ host", "192.0.2.7 0 typ host",
                 "192.0.2.7 9999 typ prflx", "192.0.2.7", ""):  # fmt: skip
        assert offer.address(offer.Candidate(f"candidate:1 1 udp 2 {text}", "0")) is None, text
    assert offer.address(offer.Candidate("candidate:1 1 tcp 2 192.0.2.7 9 typ host tcptype active", "0")) is None
    with pytest.raises(NoOffer):
        offer.read("v=0\r\n" * 10_000)

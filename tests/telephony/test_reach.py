"""A way into this machine that is lost is noticed, and opened again or waited for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web

from tests.doubles.eventually import eventually
from voicebot.errors import BadInput, Unavailable
from voicebot.telephony import reach
from voicebot.telephony.reach import Pace, Watch, asking, watching

PACE = Pace(tick_s=0.005, every_s=0.02, again_s=0.01, waits_s=(0.01, 0.02), steady_s=600, give_up_s=600)


@dataclass
class Network:
    """A tunnel of ngrok's, the world outside, and the face; `said` is all that the face was told."""

    said: list[tuple[str, ...]] = field(default_factory=list)
    leads: dict[str, str] = field(default_factory=lambda: {"https://1": "", "https://2": "", "https://3": ""})
    """Why an address does not lead here, by address."""
    asked: list[str] = field(default_factory=list)
    opened: int = 1
    refusals: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    ended: str = ""
    holds: bool = True
    trouble: bool = False

    async def open(self) -> str:
        if self.refusals:
            raise Unavailable(self.refusals.pop(0))
        self.opened += 1
        self.ended = "" if self.holds else self.ended
        return f"https://{self.opened}"

    def shaken(self) -> bool:
        shaken, self.trouble = self.trouble, False
        return shaken

    async def leads_here(self, url: str) -> str:
        self.asked.append(url)
        return self.leads[url]

    async def moved(self, url: str) -> None:
        self.moves.append(url)

    def unseen(self, url: str, why: str) -> None:
        self.said.append(("unseen", url, why))

    def lost(self, url: str, why: str) -> None:
        self.said.append(("lost", url, why))

    def not_yet(self, why: str) -> None:
        self.said.append(("not yet", why))

    def back(self, url: str) -> None:
        self.said.append(("back", url))

    def watch(self, *, own: bool = False, pace: Pace = PACE) -> Watch:
        return Watch("https://1", self.leads_here, None if own else self, self.moved, self, pace)


async def seen(network: Network) -> None:
    """It was found to lead here, and a few questions more."""
    await eventually(lambda: len(network.asked) > 3, within_s=30)


async def test_a_program_that_has_ended_is_opened_again_at_once():
    network = Network()
    async with watching(network.watch(pace=replace(PACE, every_s=600))):
        await eventually(lambda: bool(network.asked), within_s=30)
        network.ended = "ngrok has ended, with exit code -9"
        await eventually(lambda: ("back", "https://2") in network.said, within_s=30)
    assert network.said == [("lost", "https://1", "ngrok has ended, with exit code -9"), ("back", "https://2")]
    assert network.moves == ["https://2"]


async def test_one_question_without_an_answer_is_nothing_and_two_are_a_loss():
    network = Network()
    async with watching(network.watch(pace=replace(PACE, again_s=0.2))):
        await seen(network)
        network.leads["https://1"] = "no answer"
        asked = len(network.asked)
        await eventually(lambda: len(network.asked) > asked, within_s=30)
        network.leads["https://1"] = ""
        await eventually(lambda: len(network.asked) > asked + 3, within_s=30)
        assert network.said == []
        network.leads["https://1"] = "HTTP 404"
        await eventually(lambda: ("back", "https://2") in network.said, within_s=30)
    assert network.said[0] == ("lost", "https://1", "HTTP 404")


async def test_trouble_that_ngrok_reports_is_looked_at_at_once():
    network = Network()
    async with watching(network.watch(pace=replace(PACE, every_s=600))):
        await eventually(lambda: bool(network.asked), within_s=30)
        network.leads["https://1"], network.trouble = "no answer", True
        await eventually(lambda: ("lost", "https://1", "no answer") in network.said, within_s=30)


async def test_an_address_of_the_users_is_waited_for():
    network = Network()
    async with watching(network.watch(own=True)):
        await seen(network)
        network.leads["https://1"] = "HTTP 502"
        await eventually(lambda: bool(network.said), within_s=30)
        assert network.said == [("lost", "https://1", "HTTP 502")]
        network.leads["https://1"] = ""
        await eventually(lambda: len(network.said) == 2, within_s=30)
    assert (network.said[1], network.moves) == (("back", "https://1"), [])


async def test_an_address_that_was_never_seen_from_here_is_told_once_and_not_taken_for_lost():
    network = Network(leads={"https://1": "nobody answers"})
    async with watching(network.watch()):
        await eventually(lambda: len(network.asked) > 8, within_s=30)
        assert network.said == [("unseen", "https://1", "nobody answers")]
        network.leads["https://1"] = ""
        await eventually(lambda: len(network.said) == 2, within_s=30)
    assert network.said[1] == ("back", "https://1")


async def test_it_is_tried_again_until_it_leads_here_and_each_reason_is_said_once():
    network = Network(refusals=["another agent runs"] * 3)
    network.leads["https://2"] = "HTTP 404"
    async with watching(network.watch()):
        await seen(network)
        network.ended = "ngrok has ended"
        await eventually(lambda: ("back", "https://3") in network.said, within_s=30)
    assert [each[0] for each in network.said] == ["lost", "not yet", "not yet", "back"]
    assert network.said[1] == ("not yet", "another agent runs")
    assert network.said[2] == ("not yet", "https://2 does not lead to this machine (HTTP 404).")
    assert network.moves == ["https://3"], "the number is not pointed to where nobody answers"


async def test_what_does_not_come_back_ends_the_block():
    network = Network(refusals=["another agent runs."] * 10_000)
    with pytest.raises(Unavailable, match=r"could not be opened again within 0\.005 minutes: another agent runs\.$"):
        await given_up(network)
    current = asyncio.current_task()
    assert current
    assert current.cancelling() == 0


async def test_one_that_is_lost_again_and_again_is_given_up_too():
    network = Network(leads={f"https://{n}": "" for n in range(1, 10_000)})
    network.holds = False
    with pytest.raises(Unavailable, match="it does not hold"):
        await given_up(network)
    assert len(network.moves) > 1


async def given_up(network: Network) -> None:
    """The block of a watch whose tunnel is lost."""
    async with watching(network.watch(pace=replace(PACE, give_up_s=0.3))):
        network.ended = "ngrok has ended"
        await asyncio.sleep(60)


async def test_the_end_of_the_block_is_the_end_of_the_watch_and_its_errors_are_its_own():
    network = Network()
    with pytest.raises(BadInput, match="mine"):
        await failing(network)
    asked = len(network.asked)
    await asyncio.sleep(0.1)
    assert len(network.asked) == asked


async def failing(network: Network) -> None:
    async with watching(network.watch()):
        await seen(network)
        raise BadInput("mine")


async def test_who_answers_at_an_address_is_known_by_its_identity(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reach, "_ASK_S", 1.0)

    async def livez(request: web.Request) -> web.Response:
        if "hangs" in request.path:
            await asyncio.sleep(30)
        if "gone" in request.path:
            return web.Response(status=404, headers={"ngrok-error-code": "ERR_NGROK_3200"})
        return web.json_response({"status": "ok"}, headers={"voicebot-server": "me"})

    app = web.Application()
    app.router.add_get("/{path:.*}", livez)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with asking("me") as leads_here:
            assert await leads_here(url) == ""
            assert await leads_here(f"{url}/gone") == "somebody else answers there: HTTP 404, ERR_NGROK_3200"
            assert await leads_here(f"{url}/hangs") in ("no answer within 1 s", "nobody answers there: ReadTimeout")
        async with asking("somebody else") as leads_here:
            assert await leads_here(url) == "somebody else answers there: HTTP 200"
    finally:
        await runner.cleanup()
    async with asking("me") as leads_here:
        assert "nobody answers there" in await leads_here(url)

"""One call on a replay: its name, its picture, its words and its latencies, with a playhead that runs through all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from voicebot.errors import VoicebotError
from voicebot.evals.report.call import LEAD_MS
from voicebot.studio.look import TranscriptView, Trouble, WaterfallView
from voicebot.studio.look.script import clock

from .chart import Chart
from .player import Player, recorded
from .tape import Tape, load

_FRAMES_S = 1 / 15


class Deck(Vertical):
    """Loads the call in `folder` by itself; what is wrong with it is told in its place."""

    class Loaded(Message):
        """The call can be played."""

        def __init__(self, deck: Deck) -> None:
            super().__init__()
            self.deck = deck

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", "Play", key_display="space"),
        Binding("left,h", "skip(-2000)", "Back", show=False),
        Binding("right,l", "skip(2000)", "On", show=False),
        Binding("shift+left", "skip(-10000)", "Back 10 s", show=False),
        Binding("shift+right", "skip(10000)", "On 10 s", show=False),
        Binding("n", "turn(1)", "Next turn"),
        Binding("p", "turn(-1)", "Turn before"),
        Binding("f", "finding", "What failed", show=False),
    ]
    DEFAULT_CSS = """
    Deck { height: 1fr; width: 1fr; border: round $line; border-title-color: $secondary; padding: 0 1;
           border-subtitle-color: $dim; }
    Deck:focus-within { border: round $primary; border-title-color: $primary; border-title-style: bold; }
    Deck #clock { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Deck.-high Chart { margin-bottom: 1; }
    Deck #below { height: 1fr; }
    Deck #side { width: 48; padding: 0 0 0 2; display: none; scrollbar-size-vertical: 1; }
    Deck.-wide #side { display: block; }
    Deck.-low Chart { display: none; }
    Deck #findings { height: auto; margin-bottom: 1; }
    Deck WaterfallView { height: auto; }
    """

    def __init__(self, folder: Path, at_ms: float | None = None, id: str | None = None) -> None:
        super().__init__(id=id)
        self.folder = folder
        self.tape: Tape | None = None
        self.player: Player | None = None
        self._first_ms = at_ms
        self.border_title = folder.name

    def compose(self) -> ComposeResult:
        yield Trouble()
        yield Static(id="clock")
        yield Chart()
        with Horizontal(id="below"):
            yield TranscriptView("caller")
            with VerticalScroll(id="side"):
                yield Static(id="findings")
                yield WaterfallView(most=40)

    def on_mount(self) -> None:
        self.query_one("#side").can_focus = False
        self._ticking = self.set_interval(_FRAMES_S, self._tick, pause=True)
        self.read()

    def on_unmount(self) -> None:
        if self.player is not None:
            self.player.close()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 110, "-wide")
        self.set_class(self.size.height < 12, "-low")
        self.set_class(self.size.height > 28, "-high")
        chart = self.query_one(Chart)
        tall = 1 if self.size.height < 22 else 3 if self.size.height > 44 else 2
        if chart.tall != tall:
            chart.tall = tall
            chart.refresh(layout=True)

    @work(thread=True, exclusive=True)
    def read(self) -> None:
        """Off the screen's thread: a long recording takes a moment."""
        try:
            tape = load(self.folder)
            audio = tape.record.audio
            player = Player(partial(recorded, audio) if audio else None, tape.length_ms)
            player.open()
        except VoicebotError as error:
            self.call_later(self._gone, str(error))
            return
        if self.is_attached:
            self.call_later(self._show, tape, player)
        else:
            player.close()

    def _gone(self, why: str) -> None:
        self.query_one(Trouble).say(why, "Escape goes back to the list.")

    def _show(self, tape: Tape, player: Player) -> None:
        self.tape, self.player = tape, player
        started = tape.record.started
        self.border_title = f"{started.agent} · {started.caller or started.transport} · {tape.folder.name}"
        self.border_subtitle = tape.record.how_it_ended
        self.query_one(Chart).show(tape)
        self.query_one(TranscriptView).load(tape.record.events)
        self.query_one(WaterfallView).show(tape.record.waterfalls)
        findings = self.query_one("#findings", Static)
        findings.display = bool(tape.findings)
        findings.update(_findings(tape))
        self.seek(self._first_ms or 0.0)
        self.query_one(TranscriptView).focus()
        self.post_message(self.Loaded(self))

    # -- the playhead ------------------------------------------------------------------------------------------------

    @property
    def at_ms(self) -> float:
        return self.player.position_ms if self.player else 0.0

    def seek(self, at_ms: float) -> None:
        if self.player is not None:
            self.player.seek(at_ms)
            self.call_after_refresh(self._tick)

    def stop(self) -> None:
        if self.player is not None and self.player.playing:
            self.action_play()

    def action_play(self) -> None:
        if self.player is None:
            return
        if self.player.playing:
            self.player.pause()
            self._ticking.pause()
        else:
            self.player.play()
            self._ticking.resume()
        self._tick()

    def action_skip(self, by_ms: float) -> None:
        self.seek(self.at_ms + by_ms)

    def action_turn(self, step: int) -> None:
        """To where the caller's next turn begins, or the one before."""
        if self.tape is None:
            return
        here = self.at_ms
        later = [ms for ms in self.tape.turns_ms if ms > here + 1]
        earlier = [ms for ms in self.tape.turns_ms if ms < here - 500]
        self.seek((later[0] if later else here) if step > 0 else (earlier[-1] if earlier else 0.0))

    def action_finding(self) -> None:
        """To the next moment at which a check failed, from a little before it on."""
        moments = sorted(each.at_ms for each in self.tape.findings if each.at_ms is not None) if self.tape else []
        places = [max(at_ms - LEAD_MS, 0.0) for at_ms in moments]
        if places:
            self.seek(next((place for place in places if place > self.at_ms + 1), places[0]))

    def _tick(self) -> None:
        if self.player is None or self.tape is None:
            return
        at_ms = self.player.position_ms
        self.query_one(Chart).at_ms = at_ms
        self.query_one(TranscriptView).at(at_ms)
        self.query_one("#clock", Static).update(_clock(self.player, at_ms))
        turn = next((fall.turn for fall in reversed(self.tape.record.waterfalls) if fall.speech_end_ms <= at_ms), None)
        self.query_one(WaterfallView).chosen = turn
        if not self.player.playing:
            self._ticking.pause()

    @on(Chart.Sought)
    def _pointed(self, sought: Chart.Sought) -> None:
        self.seek(sought.at_ms)

    @on(TranscriptView.Picked)
    def _picked(self, picked: TranscriptView.Picked) -> None:
        row = next((each for each in self.query_one(TranscriptView).script.rows if each.turn == picked.turn), None)
        if row is not None and row.t_ms is not None:
            self.seek(row.t_ms)


def _clock(player: Player, at_ms: float) -> Content:
    sign = ("▶ ", "$success") if player.playing else ("❚❚ ", "$dim")
    sound = f"   silent: {player.silent}" if player.silent else ""
    return Content.assemble(sign, (clock(at_ms), "$foreground bold"), (f" / {clock(player.length_ms)}{sound}", "$dim"))


def _findings(tape: Tape) -> Content:
    """What the checks found wrong, with the marks that stand in the picture."""
    lines = []
    for number, finding in enumerate(tape.findings, 1):
        at = f" at {clock(finding.at_ms)}" if finding.at_ms is not None else ""
        lines.append(Content.assemble((f"▲{number} ", "$error"), (f"{finding.check}{at}", "bold")))
        lines.append(Content.styled(f"   {finding.says}", "$secondary"))
    return Content("\n").join(lines)

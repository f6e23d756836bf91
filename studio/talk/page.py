"""Talk: you and an agent, by microphone or typed, with what happens inside it beside the words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import ContentSwitcher, Input

from voicebot import events, paths
from voicebot.money.prices import prices
from voicebot.studio.look import Ask, Choose, Empty, Level, Page, Request, TranscriptView, Trouble, WaterfallView

from . import wire
from .now import Now
from .session import Session
from .state import StateView, StatusLine, speaking
from .stream import EventStream

LATER_S = 0.08
"""So much later than it happens is an event shown, with those that follow on it: an answer is made meanwhile, and to
draw at that moment would make it wait where there are few cores."""
CALLERS = {
    "typing": "you write what the caller says; no sound",
    "microphone": "you speak; open speakers work, its own voice is taken out",
    "recording": "a WAV file is the caller",
}


class Talk(Page):
    """One conversation at a time. What can be done with it are the actions below."""

    HELP = (
        "Talk to an agent. Enter calls it; what you type then is what the caller says. With the microphone on, speak. "
        "Up chooses one of your turns, and f goes back to it: say it differently, and the conversation goes on from "
        "there. What tools have done in the world stays done. l takes the agent's file as it is now into the next turn."
    )
    DEFAULT_CSS = """
    Talk #talk { height: 1fr; }
    Talk #conversation { width: 1fr; height: 1fr; }
    Talk #words { height: 1fr; }
    Talk #beside { width: 38; height: 1fr; scrollbar-size-vertical: 1; }
    Talk #state, Talk #times { height: auto; }
    Talk #events { display: none; height: 1fr; min-height: 8; }
    Talk.-wide #events { display: block; }
    Talk Level { display: none; }
    Talk.-sound Level { display: block; }
    Talk #say { height: 3; margin: 0; }
    Talk.-wide #beside { width: 40%; max-width: 84; }
    Talk.-narrow #beside { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,ctrl+r", "restart", "Call"),
        Binding("i,ctrl+b", "interrupt", "Interrupt"),
        Binding("f,ctrl+f", "fork", "Fork", tooltip="go back to the chosen turn and say it differently"),
        Binding("l,ctrl+l", "reload", "Reload", tooltip="take the agent's file as it is now into the next turn"),
        Binding("m,ctrl+g", "mute", "Mute"),
        Binding("h,ctrl+n", "hang_up", "Hang up"),
        Binding("a,ctrl+o", "agent", "Agent"),
        Binding("s,ctrl+s", "caller", "Sound", tooltip="type, speak, or play a recording"),
        Binding("up", "back", "Choose a turn", show=False),
        Binding("slash,t", "field", "Type", show=False),
    ]

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.session = Session(self.hear)
        self.now = Now(prices())
        self.agent: Path | None = next(iter(paths.agent_files(project)), None)
        self.caller: wire.Begin = wire.Begin(agent=Path())
        """How the caller calls: only what is said of that in it counts."""
        self._news: list[events.Event] = []
        """What has happened and is not shown yet."""
        self._muted = False
        self._waits = ""
        self._offered: tuple[bool, str, bool] | None = None

    def compose_page(self) -> ComposeResult:
        with Horizontal(id="talk"):
            with Vertical(id="conversation", classes="panel") as panel:
                panel.border_title = "Talk"
                with ContentSwitcher(initial="nobody", id="words"):
                    yield Empty("Nobody is on the line.", *_steps(self.agent), id="nobody")
                    yield TranscriptView(id="transcript")
                yield Trouble()
            with VerticalScroll(id="beside", can_focus=False):
                with Vertical(classes="panel", id="state") as state:
                    state.border_title = "Now"
                    yield StateView()
                    yield Level("mic  ", "$caller", id="mic")
                    yield Level("agent", "$agent", id="speaker")
                with Vertical(classes="panel", id="times") as times:
                    times.border_title = "Where the time goes"
                    yield WaterfallView(most=24)
                with Vertical(classes="panel", id="events") as stream:
                    stream.border_title = "What happens"
                    yield EventStream()
        yield StatusLine()
        yield Input(id="say")

    # -- coming and going --------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self._say_how()
        self.query_one("#say").focus()
        self.run_worker(self.session.prepare())

    def on_screen_resume(self) -> None:
        if self.agent is None or not self.agent.exists():
            self.agent = next(iter(paths.agent_files(self.project)), None)
            self.query_one(Empty).tell("Nobody is on the line.", *_steps(self.agent))
        self._say_how()

    async def on_unmount(self) -> None:
        await self.session.close()

    def receive(self, request: Request) -> None:
        """Talk to the agent in this file; a call that goes on is left alone."""
        self.agent = request.path
        if not self.session.is_on:
            self.action_restart()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean nothing now are not offered."""
        if action == "mute":
            return self.session.is_on and self.caller.caller == "microphone"
        if action in ("interrupt", "fork", "reload", "hang_up"):
            return self.session.is_on or (action == "fork" and bool(self.now.falls))
        return not self.session.is_on if action in ("agent", "caller") else True

    # -- what the engine tells ---------------------------------------------------------------------------------------

    def hear(self, report: wire.Report) -> None:
        """One report of the present call."""
        if isinstance(report, wire.Happened):
            if not self._news:
                self.set_timer(LATER_S, self._catch_up)
            self._news.append(report.event)
            return
        match report:
            case wire.Levels():
                self.query_one("#mic", Level).level_db = report.microphone_db
                self.query_one("#speaker", Level).level_db = report.agent_db
            case wire.Over():
                self._catch_up()
                self._over(report)
            case wire.Broke():
                self._catch_up()
                self._broke(report)
            case _:
                pass

    def _catch_up(self) -> None:
        news, self._news = self._news, []
        self.show_events(news)

    def show_events(self, news: Sequence[events.Event]) -> None:
        """Into everything that shows the call."""
        for event in news:
            self.now.feed(event)
            if isinstance(event, events.CallStarted):
                self._waits = ""
                self.query_one("#conversation").border_title = event.agent
            self.query_one(TranscriptView).feed(event)
            self.query_one(EventStream).feed(event)
        if news:
            self._refresh()

    def _refresh(self) -> None:
        self.query_one(StateView).show(self.now)
        self.query_one(WaterfallView).show(self.now.falls)
        self._say_how()

    def _over(self, over: wire.Over) -> None:
        if over.failed:
            self.query_one(Trouble).say(f"The call failed: {over.failed}", "r calls again")
        elif over.left_out:
            self.notify(f"{over.left_out} events came too fast to be shown; the record has them all.")
        if over.folder:
            self.query_one("#conversation").border_subtitle = f"recorded in {paths.shown(over.folder)}"
        self._hung_up()

    def _broke(self, broke: wire.Broke) -> None:
        remedy = f"{self.session.last_words}\nThe record has all up to here. r calls again." if broke.is_bug else ""
        self.query_one(Trouble).say(broke.sentence, remedy or "r tries again, 1 opens the agent")
        self.now.speaker = ""
        self._hung_up()

    def _hung_up(self) -> None:
        self._waits = ""
        self._say_how()
        self.run_worker(self.session.prepare())

    # -- what the user does ------------------------------------------------------------------------------------------

    @on(Input.Submitted, "#say")
    def _typed(self, submitted: Input.Submitted) -> None:
        text = submitted.value.strip()
        submitted.input.clear()
        if not self.session.is_on:
            self._call(say=text)
        elif text:
            self.session.order(wire.Say(text=text))

    def action_restart(self) -> None:
        self._call()

    def action_interrupt(self) -> None:
        self.session.order(wire.Interrupt())

    def action_mute(self) -> None:
        self._muted = not self._muted
        self.query_one("#mic", Level).muted = self._muted
        self.session.order(wire.Mute(on=self._muted))

    def action_hang_up(self) -> None:
        self.session.order(wire.HangUp())

    def action_field(self) -> None:
        self.query_one("#say").focus()

    def action_back(self) -> None:
        transcript = self.query_one(TranscriptView)
        transcript.focus()
        transcript.action_choose(-1)

    @on(TranscriptView.Moved)
    def _chosen(self, moved: TranscriptView.Moved) -> None:
        self.query_one(WaterfallView).chosen = moved.turn

    @on(TranscriptView.Picked)
    def _picked(self) -> None:
        self.action_fork()

    @work(exclusive=True, group="ask")
    async def action_fork(self) -> None:
        """Back to the chosen turn of the caller's, or the last: the agent forgets what came after it."""
        transcript = self.query_one(TranscriptView)
        turn = transcript.chosen or (transcript.turns[-1] if transcript.turns else None)
        if turn is None or turn < 1:
            self.notify("There is no turn to go back to yet: say something first.", severity="warning")
            return
        said = next((e.text for e in self.now.told if isinstance(e, events.TurnEnded) and e.turn == turn), "")
        about = "The conversation goes on from here. What the agent's tools have done stays done."
        text = await self.app.push_screen_wait(Ask(f"Turn {turn}, said differently", about, said, enter="say it"))
        if text:
            told = list(_before(self.now.told, turn))
            self._call(say=text, memory=self.session.before(turn) or {"messages": []}, told=told)

    def action_reload(self) -> None:
        """The next turn is answered by the agent as its file is now."""
        if not self.session.memories:
            self._call()
            return
        memory = self.session.memories[max(self.session.memories)]
        self._call(memory=memory, told=self.now.told, remark="the agent as its file is now; the conversation goes on")

    @work(exclusive=True, group="ask")
    async def action_agent(self) -> None:
        files = {path.stem: path for path in paths.agent_files(self.project)}
        known = {name: paths.shown(path) for name, path in files.items()}
        if not known:
            self.notify("This project has no agents yet: 1 makes one.", severity="warning")
            return
        chosen = self.agent.stem if self.agent else ""
        if name := await self.app.push_screen_wait(Choose("Who shall answer?", known, chosen=chosen)):
            self.receive(Request(files[name]))

    @work(exclusive=True, group="ask")
    async def action_caller(self) -> None:
        name = await self.app.push_screen_wait(Choose("How do you call?", CALLERS, chosen=self.caller.caller))
        recording = None
        if name == "recording":
            typed = await self.app.push_screen_wait(Ask("Which recording?", "A WAV file; its speaker is the caller."))
            recording = _path(typed) if typed else None
        if name and (name != "recording" or recording):
            self.caller = wire.Begin.model_validate({"agent": "", "caller": name, "recording": recording})
            self._say_how()

    # -- calls -------------------------------------------------------------------------------------------------------

    def _call(
        self,
        *,
        say: str = "",
        memory: dict[str, object] | None = None,
        told: list[events.Event] | None = None,
        remark: str = "from here on said differently",
    ) -> None:
        """Make a call; with `memory`, one that goes on behind the events `told`."""
        if self.agent is None:
            self.query_one(Trouble).say("There is no agent to talk to.", "1 makes one")
            return
        transcript = self.query_one(TranscriptView)
        transcript.load(told or ())
        self.query_one(EventStream).clear()
        if told is not None:
            transcript.turn_over(remark)
        self.now, self._news = Now(prices(self.project)), []
        self.query_one(Trouble).clear()
        self.query_one(ContentSwitcher).current = "transcript"
        panel = self.query_one("#conversation")
        panel.border_title, panel.border_subtitle = self.agent.stem, ""
        self._waits = "getting ready …"
        self._refresh()
        order = self.caller.model_copy(update={"agent": self.agent, "say": say, "memory": memory})
        self.run_worker(self.session.begin(order), exclusive=True, group="call")

    def _say_how(self) -> None:
        """The line above the field, and what the field is for."""
        now, on_call = self.now, self.session.is_on
        field = self.query_one("#say", Input)
        name = self.agent.stem if self.agent else "the agent"
        field.placeholder = "what the caller says" if on_call else f"enter calls {name}"
        self.set_class(self.caller.caller == "microphone", "-sound")
        if (offered := (on_call, self.caller.caller, bool(now.falls))) != self._offered:
            self._offered = offered
            self.refresh_bindings()
        parts: list[Content | str | tuple[str, str]] = [(self._waits, "$warning")] if self._waits else []
        if not parts:
            parts = [speaking(now) if on_call else Content.styled("○ nobody on the line", "$dim")]
        parts.append((f"  {self.caller.caller}", "$dim"))
        parts += [("  at ", "$dim"), (now.node, "$foreground")] if now.node and on_call else []
        parts += [(f"  {now.money}", "$dim")] if now.money else []
        self.query_one(StatusLine).show(Content.assemble(*parts))


def _path(typed: str) -> Path:
    """As a shell would take it."""
    return Path(typed).expanduser().absolute()


def _before(told: list[events.Event], turn: int) -> list[events.Event]:
    """What had happened when the caller's turn began."""
    cut = next((i for i, event in enumerate(told) if event.turn >= turn), len(told))
    return told[:cut]


def _steps(agent: Path | None) -> tuple[tuple[str, str], ...]:
    if agent is None:
        return (("1", "make an agent first"), ("voicebot new", "or a whole project, in a shell"))
    return (("enter", f"call {agent.stem}"), ("s", "by microphone, or with a recording"), ("a", "another agent"))

"""The page of simulated callers: who they are, how they sound, and a call of one of them as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from voicebot import paths
from voicebot.errors import VoicebotError
from voicebot.events import Event
from voicebot.latency import waterfalls
from voicebot.personas import portrait
from voicebot.studio.calls.player import Player
from voicebot.studio.look import Ask, Choose, Page, Request, TranscriptView, Trouble, WaterfallView, Working
from voicebot.studio.look.rows import Column, Rows

from . import people
from .calling import Calling, Wanted
from .people import Person


class HowMany(Ask):
    """'5', or '5 7' with the dice."""

    def wrong(self, text: str) -> str:
        parts = text.split()
        if not 1 <= len(parts) <= 2 or not all(part.isdecimal() for part in parts) or not 1 <= int(parts[0]) <= 100:
            return "A number from 1 to 100, and perhaps a second one for the dice: 5 7"
        return ""


class Personas(Page):
    """The callers at the left; one of them, and its call, at the right."""

    HELP = (
        "**h** plays how a caller sounds to an agent, **c** lets it call one: watch the call here, replay it "
        "afterwards with **o**. **g** draws new callers into personas/. A caller without a matter of its own "
        "plays a scenario."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "hear", "Hear"),
        Binding("c", "call", "Let it call"),
        Binding("g", "generate", "Draw new ones"),
        Binding("o", "open", "Replay the call"),
        Binding("ctrl+x", "stop", "Stop"),
    ]
    DEFAULT_CSS = """
    Personas #body { height: 1fr; }
    Personas #people { width: 3fr; height: 1fr; }
    Personas #right { width: 2fr; border-left: solid $line; display: none; }
    Personas.-roomy #right { display: block; }
    Personas.-calling #right { display: block; }
    Personas.-calling.-close #people { display: none; }
    Personas #portrait { height: auto; max-height: 60%; padding: 0 1; scrollbar-size-vertical: 1; }
    Personas.-calling #portrait { display: none; }
    Personas #call { height: 1fr; border-top: solid $line; display: none; }
    Personas.-calling #call { display: block; border-top: none; }
    Personas #call WaterfallView { height: auto; max-height: 12; border-top: solid $line; padding: 0 1; }
    """

    def __init__(self, project: Path) -> None:
        super().__init__(project)
        self.calling: Calling | None = None
        self.record: Path | None = None
        """Of the last call that was made here."""
        self._player: Player | None = None
        self._happened: list[Event] = []

    def compose_page(self) -> ComposeResult:
        yield Trouble()
        yield Working()
        with Horizontal(id="body"):
            yield Rows[Person](*_COLUMNS, key=lambda person: person.name, id="people")
            with Vertical(id="right"):
                with VerticalScroll(id="portrait"):
                    yield Static(id="about")
                with Vertical(id="call"):
                    yield TranscriptView("caller")
                    yield WaterfallView(most=8)

    def on_mount(self) -> None:
        self.query_one("#portrait").can_focus = False
        self.query_one("#people").focus()
        self._read("")

    def on_screen_resume(self) -> None:
        self._read("")

    def on_unmount(self) -> None:
        if self.calling is not None:
            self.calling.stop()
        if self._player is not None:
            self._player.close()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= 104, "-roomy")
        self.set_class(self.size.width < 104, "-close")

    @work(thread=True, exclusive=True, group="read")
    def _read(self, chosen: str) -> None:
        found = people.everybody(self.project)
        self.call_later(self._show, found, chosen)

    def _show(self, found: list[Person], chosen: str) -> None:
        rows = self.query_one("#people", Rows)
        rows.show(found)
        if chosen:
            rows.to(chosen)

    @property
    def person(self) -> Person | None:
        found: Person | None = self.query_one("#people", Rows).item
        return found

    @on(Rows.Moved, "#people")
    def _moved(self, moved: Rows.Moved) -> None:
        if moved.item is not None:
            self.query_one("#about", Static).update(_portrait(moved.item))
        if self.calling is None:
            self.remove_class("-calling")

    # -- hearing -----------------------------------------------------------------------------------------------------

    @work(thread=True, exclusive=True, group="hear")
    def action_hear(self) -> None:
        person = self.person
        if person is None or person.persona is None:
            return
        tell = self.call_later
        tell(self._hearing, person.name)
        try:
            words, player = people.voiced(person.persona)
        except VoicebotError as error:
            tell(self._heard, None, str(error))
            return
        tell(self._heard, player, f"{person.persona.name}: {words}")

    def _hearing(self, name: str) -> None:
        if self.calling is None:
            self.query_one(Working).begin(f"{name} takes a breath")

    def _heard(self, player: Player | None, words: str) -> None:
        if self.calling is None:
            self.query_one(Working).done()
        if self._player is not None:
            self._player.close()
        self._player = player
        if player is None:
            self.query_one(Trouble).say(words)
            return
        player.play()
        person = self.person
        if player.silent and person is not None:
            remedy = f"voicebot persona try {person.name} --out {person.name}.wav writes it to a file."
            self.query_one(Trouble).say(f"No sound: {player.silent}.", remedy)
        else:
            self.notify(words)

    # -- drawing new ones --------------------------------------------------------------------------------------------

    @work
    async def action_generate(self) -> None:
        about = "How many? A second number is the dice: the same ones draw the same callers."
        answer = await self.app.push_screen_wait(HowMany("Draw new callers", about, "3 1", enter="draws them"))
        if answer:
            count, _, seed = answer.partition(" ")
            self._draw(int(count), int(seed or 0))

    @work(thread=True, group="draw")
    def _draw(self, count: int, seed: int) -> None:
        tell = self.call_later
        try:
            written, there = people.draw(self.project, count, seed)
        except VoicebotError as error:
            tell(self.query_one(Trouble).say, str(error))
            return
        already = f" {', '.join(there)} were there already." if there else ""
        tell(self.notify, f"{len(written)} new callers in personas/: {', '.join(written)}.{already}")
        self._read((written or there or [""])[0])

    # -- calling -----------------------------------------------------------------------------------------------------

    @work
    async def action_call(self) -> None:
        person = self.person
        if self.calling is not None or person is None or person.persona is None:
            return
        agent = await self._which_agent()
        if agent is None:
            return
        scenario = "" if person.persona.domain else await self._which_scenario(person.name)
        if scenario is None:
            return
        how = {"spoken": "through ear and mouth, as on the phone", "typed": "words alone, a few seconds"}
        if by := await self.app.push_screen_wait(Choose(f"{person.name} calls {agent.stem}", how)):
            self._begin(Wanted(agent, person.name, scenario, typed=by == "typed"))

    async def _which_agent(self) -> Path | None:
        files = {path.stem: path for path in paths.agent_files(self.project)}
        if not files:
            self.query_one(Trouble).say("There is no agent to be called yet.", "1 makes one.")
            return None
        if len(files) == 1:
            return next(iter(files.values()))
        name = await self.app.push_screen_wait(Choose("Who is called?", dict.fromkeys(files, "")))
        return files[name] if name else None

    async def _which_scenario(self, name: str) -> str | None:
        known = dict.fromkeys((path.stem for path in paths.yaml_files(paths.evals_dir(self.project))), "")
        if not known:
            self.query_one(Trouble).say(f"{name} has no matter of its own, and there is no scenario to play here.")
            return None
        return await self.app.push_screen_wait(Choose("About what?", known, f"{name} has no matter of its own."))

    def _begin(self, wanted: Wanted) -> None:
        self.calling = Calling(wanted)
        self.query_one(Trouble).clear()
        self.add_class("-calling")
        self._happened = []
        self.query_one(TranscriptView).clear()
        self.query_one(WaterfallView).show([])
        self.query_one(Working).begin(f"{wanted.persona} calls {wanted.agent.stem}")
        self._run(self.calling)

    @work(thread=True, group="call")
    def _run(self, calling: Calling) -> None:
        def tell(event: Event) -> None:
            self.call_later(self._event, event)

        record, why = calling.run(tell)
        if self.is_attached:
            self.call_later(self._over, record, why)

    def _event(self, event: Event) -> None:
        self._happened.append(event)
        self.query_one(TranscriptView).feed(event)
        if event.type in ("agent_speech_started", "agent_saying"):
            self.query_one(WaterfallView).show(waterfalls(self._happened))

    def _over(self, record: Path | None, why: str) -> None:
        stopped = self.calling is not None and not why and record is None
        self.calling = None
        self.record = record or self.record
        self.query_one(Working).done()
        if why:
            self.query_one(Trouble).say(why)
        elif stopped:
            self.notify("The call was stopped.")
        else:
            self.notify("The call is over: o replays it.")

    def action_stop(self) -> None:
        if self.calling is not None:
            self.run_worker(self.calling.stop, thread=True)

    on_working_cancelled = action_stop

    def action_open(self) -> None:
        if self.record is None:
            self.notify("No call was made here yet: c makes one.", severity="warning")
            return
        self.run_worker(self.studio.go("calls", Request(self.record)))


def _portrait(person: Person) -> Content:
    if person.persona is None:
        return Content.styled(person.wrong, "$error")
    persona = person.persona
    where = f"personas/{person.name}.yaml" if person.own else "from the library"
    lines = [
        Content.assemble((persona.name, "$foreground bold"), (f"  {where}", "$dim")),
        Content.styled(persona.about, "$secondary"),
        Content(),
        *(Content.assemble(("• ", "$primary"), sentence) for sentence in portrait.sentences(persona)),
    ]
    if persona.hard:
        lines += [
            Content(),
            Content.styled("Too hard for the embedded recogniser: for agents with a real one.", "$warning"),
        ]
    return Content("\n").join(lines)


def _ear(person: Person) -> Content:
    if person.persona is None:
        return Content.styled("wrong", "$error")
    return Content.styled("hard", "$warning") if person.persona.hard else Content.styled("any", "$success")


_COLUMNS = (
    Column[Person]("name", lambda person: Content.styled(person.name, "$foreground bold"), 18),
    Column[Person]("from", lambda person: Content.styled("project" if person.own else "library", "$dim"), 7, wide=70),
    Column[Person]("manner", lambda person: Content.styled(person.manner, "$secondary")),
    Column[Person]("voice", lambda person: Content.styled(person.voice, "$dim"), 22, wide=90),
    Column[Person]("line", lambda person: person.line, 10, wide=60),
    Column[Person]("ear", _ear, 5),
)

"""Who has the floor: when the caller's turn begins and ends, and what a sound means while the agent speaks.

`Floor` listens to the ear and decides; a `Conversation` carries the decisions out. The rules, in order:

- Sound while the agent speaks or thinks: the agent is silent at once (paused). Words take the floor (barge-in);
  a cough or an "uh-huh" gives it back, and the agent goes on from the word where it stopped.
- Silence of the caller for `Sensitivity.stop_ms`: the turn ends when the words surely answer what was asked, goes on
  when they surely are unfinished ("on the ..."), and otherwise Smart Turn, listening to how it sounded, decides.
- A turn that seems unfinished ends after a longer silence all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from voicebot import clock
from voicebot.agent import Turns
from voicebot.media.ear import Ear
from voicebot.media.playout import Playout
from voicebot.stt import STTStream, Transcript
from voicebot.turns.smart_turn import turn_complete
from voicebot.turns.words import only_listening, stray, unfinished

PRE_ROLL_MS = 300
"""Audio from before the VAD was sure, for the recogniser."""
UNFINISHED_SILENCE_MS = 1400
"""A turn that seems unfinished ends after this silence."""
PLAIN_SILENCE_MS = 700
"""With `end_of_turn: silence` every turn ends after this silence."""
SPEECH_IS_WORDS_MS = 1100
"""Speech this long over the agent is a barge-in even when the recogniser has no words yet."""
GUESSES = 2
"""How often in one pause the brain may begin with what the turn probably says: each time but the last is in vain."""
COMPLETE = 0.5
"""Smart Turn's probability from which a turn counts as complete."""

Reason = Literal["smart_turn", "text", "silence", "typed"]


class Conversation(Protocol):
    """What the floor needs from the call. Plain calls on the event loop."""

    def now_ms(self) -> float: ...

    def settles(self, text: str) -> bool:
        """The words surely answer what was just asked."""

    def caller_began(self, speech_start_ms: float) -> None: ...

    def caller_paused(self, speech_end_ms: float) -> None: ...

    def caller_saying(self, text: str) -> None:
        """The words of this stretch of speech so far."""

    def caller_said(self, transcript: Transcript) -> None: ...

    def turn_likely(self, text: str) -> None:
        """The turn is probably over and said `text`, though that is still being decided."""

    def turn_unlikely(self) -> None:
        """The caller goes on."""

    def nothing_said(self) -> None:
        """The sound that began a turn was none."""

    def agent_paused(self, speech_start_ms: float) -> None: ...

    def agent_resumed(self) -> None: ...

    def barge_in(self) -> None:
        """The caller takes the floor from a reply that is under way."""

    def turn_ended(self, ending: Ending) -> None: ...

    def failed(self, kind: Literal["stt", "llm", "tts", "turn"], error: BaseException) -> None: ...


@dataclass(frozen=True)
class Ending:
    """How and why a turn ended."""

    text: str
    reason: Reason
    speech_end_ms: float
    decided_ms: float
    decided_lag_ms: float = 0.0
    probability: float | None = None


@dataclass
class _Turn:
    """The caller's turn while it is open."""

    speech_start_ms: float
    speech_end_ms: float = 0.0
    finals: list[str] = field(default_factory=list)
    interim: str = ""
    hearing: bool = True
    """The recogniser is at work on this turn's audio."""
    finishing: bool = False
    missed: bytearray = field(default_factory=bytearray)
    """Audio that came while the recogniser was finishing."""
    resumed: bool = False
    """The caller spoke again while the recogniser was finishing."""
    settling: asyncio.Task[None] | None = None
    sound: asyncio.Task[float | None] | None = None
    """Smart Turn's opinion of the present pause, asked before that is long enough to matter: an answer takes time."""

    guessed: str = ""
    """What it probably says in full: the brain has been told so."""
    guesses: int = 0
    """How often, in this pause."""

    @property
    def text(self) -> str:
        return " ".join(part for part in [*self.finals, self.interim] if part)


class Floor:
    """One call's turn-taking; a `Listener` to its ear."""

    def __init__(
        self,
        settings: Turns,
        open_ear: Callable[[Floor], Ear],
        open_stt: Callable[[Callable[[str], None]], STTStream],
        playout: Playout,
        conversation: Conversation,
        is_complete: Callable[[bytes, int], Awaitable[float]] = turn_complete,
    ) -> None:
        self._settings = settings
        self._ear = open_ear(self)
        self._stt = open_stt(self._interim)
        self._playout = playout
        self._conversation = conversation
        self._is_complete = is_complete
        self._turn: _Turn | None = None
        self._long_speech: asyncio.TimerHandle | None = None

    @property
    def ear(self) -> Ear:
        return self._ear

    @property
    def caller_has_it(self) -> bool:
        """True while a turn of the caller is open."""
        return self._turn is not None

    # -- the ear's Listener ------------------------------------------------------------------------------------------

    def agent_finished(self) -> None:
        """The reply was heard to its end. Without barge-in, a caller who began over it has the floor now."""
        if self._turn is None and self._ear.speaking:
            self.speech_started(0.0)

    def heard(self, pcm: bytes) -> None:
        turn = self._turn
        if turn is None:
            return
        if turn.finishing:
            turn.missed += pcm
        elif turn.hearing:
            self._stt.feed(pcm)

    def speech_started(self, ago_ms: float) -> None:
        start_ms = self._conversation.now_ms() - ago_ms
        if self._playout.busy and not self._settings.barge_in:
            return
        turn = self._turn
        if turn is None:
            self._turn = _Turn(start_ms)
            self._conversation.caller_began(start_ms)
        if self._playout.busy and not self._playout.paused:
            self._pause_agent(start_ms)
        if turn is None:
            self._listen(self._ear.last(ago_ms + PRE_ROLL_MS))
        else:
            self._goes_on(turn, ago_ms)

    def pause_began(self) -> None:
        if self._turn and self._is_open(self._turn):
            self._ask_sound(self._turn, self._ear.pause_to_come())

    def pause_over(self) -> None:
        if self._turn:
            self._forget_pause(self._turn)

    def speech_stopped(self, ago_ms: float) -> None:
        turn = self._turn
        if turn is None:
            return
        self._cancel_long_speech()
        turn.speech_end_ms = self._conversation.now_ms() - ago_ms
        self._conversation.caller_paused(turn.speech_end_ms)
        if not turn.finishing:
            turn.guesses = 0
            self._guess(turn)
            self._settle_again(turn)

    # -- the agent's side --------------------------------------------------------------------------------------------

    def _pause_agent(self, start_ms: float) -> None:
        self._playout.pause()
        self._conversation.agent_paused(start_ms)
        loop = asyncio.get_running_loop()
        self._long_speech = loop.call_later(SPEECH_IS_WORDS_MS / 1000, self._take_floor)

    def _take_floor(self) -> None:
        self._cancel_long_speech()
        if self._playout.busy:
            self._conversation.barge_in()

    def _cancel_long_speech(self) -> None:
        if self._long_speech:
            self._long_speech.cancel()
            self._long_speech = None

    def _give_back(self) -> None:
        """It was nothing, or only a sign of listening: the agent goes on."""
        self._close_turn()
        self._conversation.nothing_said()
        if self._playout.paused:
            self._playout.resume()
            self._conversation.agent_resumed()

    # -- the recogniser ----------------------------------------------------------------------------------------------

    def _listen(self, audio: bytes) -> None:
        assert self._turn is not None
        self._turn.hearing = True
        self._stt.start()
        self._stt.feed(audio)

    def _interim(self, text: str) -> None:
        turn = self._turn
        if turn is None or not turn.hearing or text == turn.interim:
            return
        turn.interim = text
        self._conversation.caller_saying(turn.text)
        if self._playout.paused and not self._says_nothing(turn.text):
            self._take_floor()
        if turn.settling and not self._ear.speaking:
            self._guess(turn)  # the recogniser's words come behind the sound

    async def _finish(self, turn: _Turn) -> None:
        """The recogniser's last word on the audio so far."""
        turn.finishing = True
        turn.missed.clear()
        try:
            transcript = await self._stt.finish()
        except Exception as error:  # noqa: BLE001 - a call never dies of a provider, whatever that raises
            self._conversation.failed("stt", error)
            transcript = Transcript(turn.interim)
        finally:
            turn.finishing = turn.hearing = False
            turn.interim = ""
        if transcript.text:
            turn.finals.append(transcript.text)
            self._conversation.caller_said(transcript)

    # -- the end of the turn -----------------------------------------------------------------------------------------

    def _guess(self, turn: _Turn) -> None:
        """Let the brain begin with what is likely. Over a reply nothing is: it may be no turn at all."""
        if self._playout.busy or turn.guesses == GUESSES or unfinished(turn.text):
            return
        if turn.text and turn.text != turn.guessed:
            turn.guessed = turn.text
            turn.guesses += 1
            self._conversation.turn_likely(turn.text)

    def _goes_on(self, turn: _Turn, ago_ms: float) -> None:
        """The caller speaks again before the turn was over."""
        self._forget_pause(turn)
        if turn.finishing:
            turn.resumed = True  # what comes now is kept in `missed`; `_settle` picks it up
            return
        if turn.settling:
            turn.settling.cancel()
        if not turn.hearing:
            self._listen(self._ear.last(ago_ms + PRE_ROLL_MS))

    def _settle_again(self, turn: _Turn) -> None:
        if turn.settling:
            turn.settling.cancel()
        turn.settling = asyncio.get_running_loop().create_task(self._settle(turn))
        turn.settling.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[None]) -> None:
        """A mistake in deciding must not leave the turn open for ever: the sound counts as nothing."""
        if not task.cancelled() and (error := task.exception()):
            self._conversation.failed("turn", error)
            self._give_back()

    async def _settle(self, turn: _Turn) -> None:
        """The caller is silent: decide whether the turn is over. Cancelled when the caller goes on."""
        while True:
            reason, probability = await self._judge(turn)
            decided_ms, decided_lag_ms = self._conversation.now_ms(), clock.lag_ms()
            if not turn.hearing:
                break
            judged_blind = not turn.text
            await self._finish(turn)
            if turn.resumed:
                turn.resumed = False
                self._listen(bytes(turn.missed))
                if self._ear.speaking:
                    return
            elif self._is_nothing(turn):
                self._give_back()
                return
            elif not judged_blind:
                break
            self._guess(turn)
        self._end(Ending(turn.text, reason, turn.speech_end_ms, decided_ms, decided_lag_ms, probability))

    async def _judge(self, turn: _Turn) -> tuple[Reason, float | None]:
        """Returns when the turn is over, with the reason why."""
        if not turn.text or self._conversation.settles(turn.text):
            return "text", None
        probability = None
        if self._settings.end_of_turn == "silence":
            limit_ms = PLAIN_SILENCE_MS
        else:
            limit_ms = UNFINISHED_SILENCE_MS
            if not unfinished(turn.text):
                probability = await (turn.sound or self._ask_sound(turn))
                if probability is not None and probability >= COMPLETE:
                    return "smart_turn", probability
        silent_ms = self._conversation.now_ms() - turn.speech_end_ms
        await asyncio.sleep(max(0.0, limit_ms - silent_ms) / 1000)
        return "silence", probability

    def _is_open(self, turn: _Turn) -> bool:
        """The words so far do not say whether the turn is over."""
        if self._settings.end_of_turn == "silence":
            return False
        return not (turn.text and (unfinished(turn.text) or self._conversation.settles(turn.text)))

    def _ask_sound(self, turn: _Turn, to_come: bytes = b"") -> asyncio.Task[float | None]:
        since_ms = self._conversation.now_ms() - turn.speech_start_ms + 500
        heard = self._ear.last(since_ms) + to_come
        turn.sound = asyncio.get_running_loop().create_task(self._sounds_complete(turn, heard))
        return turn.sound

    async def _sounds_complete(self, turn: _Turn, heard: bytes) -> float | None:
        try:
            probability = await self._is_complete(heard, self._ear.rate_hz)
        except Exception as error:  # noqa: BLE001 - without the model, silence decides
            self._conversation.failed("turn", error)
            return None
        if probability >= COMPLETE and not turn.finishing:
            self._guess(turn)
        return probability

    def _forget_pause(self, turn: _Turn) -> None:
        """The caller goes on: what was made of the pause is void."""
        if turn.sound:
            turn.sound.cancel()
            turn.sound = None
        if turn.guessed:
            turn.guessed = ""
            self._conversation.turn_unlikely()

    def _is_nothing(self, turn: _Turn) -> bool:
        if not turn.text:
            return True
        return self._playout.paused and self._says_nothing(turn.text)

    def _says_nothing(self, text: str) -> bool:
        """Said over the agent, these words are no reason to stop it."""
        return stray(text) or only_listening(text, self._playout.unheard_ms)

    def _end(self, ending: Ending) -> None:
        self._close_turn()
        if self._playout.busy:
            self._conversation.barge_in()
        self._conversation.turn_ended(ending)

    def _close_turn(self) -> None:
        if self._turn and self._turn.sound:
            self._turn.sound.cancel()
        self._turn = None

    async def close(self) -> None:
        self._cancel_long_speech()
        if self._turn and self._turn.settling:
            self._turn.settling.cancel()
        self._close_turn()
        self._ear.close()
        await self._stt.close()

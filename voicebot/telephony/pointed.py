"""A number that is lent to this machine for a while, and given back as it was: also after a crash.

    async with lent(numbers, number, Pointing.to(url, "ava"), folder(root)) as loan: ...
        await loan.move(Pointing.to(other_url, "ava"))   # the tunnel is elsewhere now
    back = await give_back(numbers, folder(root))    # what somebody who was killed has left behind

What the number was is on the disk before anything is changed, and stays there until it is that again. Whoever holds a
number holds a lock of the operating system's, which goes with the process however that ends. What somebody else has
changed meanwhile is theirs: a field is only given back while it is still what we have made it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout
from loguru import logger

from voicebot.errors import BadInput, Unavailable, VoicebotError
from voicebot.telephony.account import Refused
from voicebot.telephony.numbers import NOT_FOUND, Number, Numbers, Pointing

How = Literal["restored", "left alone", "gone"]


@dataclass(frozen=True)
class Back:
    """What became of a number that was lent."""

    number: str
    how: How
    """'left alone': somebody else has pointed it elsewhere meanwhile; 'gone': it is not the account's any more."""
    answered_by: str = ""
    """Where its calls go now."""


@dataclass(frozen=True)
class Note:
    """What is on the disk while a number is lent."""

    sid: str
    number: str
    was: Pointing
    ours: Pointing
    before: tuple[Pointing, ...] = ()
    """What of ours it may still be, while it is not known whether it was changed from that to `ours`."""

    def restored(self, now: Pointing) -> dict[str, str]:
        """The fields that are to be written back to make of `now` what it was, as far as it is still ours."""
        return self._changed(now, self.was)

    def moved(self, now: Pointing) -> dict[str, str]:
        """The fields that are to be written to make of `now` what is ours, as far as it is ours already."""
        return self._changed(now, self.ours)

    def has(self, now: Pointing) -> bool:
        """Whether calls come to us."""
        return any(now.voice_url == each.voice_url for each in (self.ours, *self.before))

    def _changed(self, now: Pointing, to: Pointing) -> dict[str, str]:
        """Whatever decides who answers belongs together: where the voice URL is somebody else's, so are those."""
        ours, is_now, wanted = [asdict(each) for each in (self.ours, *self.before)], asdict(now), asdict(to)
        fields = [name for name in wanted if any(is_now[name] == each[name] for each in ours)]
        if not self.has(now):
            fields = [name for name in fields if name.startswith("status_callback")]
        return {name: wanted[name] for name in fields if is_now[name] != wanted[name]}


def folder(root: Path) -> Path:
    """Where the project in `root` notes what its numbers were."""
    return root / ".voicebot" / "pointed"


@asynccontextmanager
async def lent(numbers: Numbers, number: Number, ours: Pointing, folder: Path) -> AsyncIterator[Loan]:
    """Have calls to it go to us until the end of the block.

    Raises Unavailable when another process has it, or when what a killed one left cannot be given back now.
    """
    with _held(folder, number.sid):
        await _settle(numbers, folder, number.sid)
        loan = Loan(numbers, folder, number.sid, ours)
        await loan.begin()
        try:
            yield loan
        finally:
            await loan.end()


async def give_back(numbers: Numbers, folder: Path) -> list[Back]:
    """What processes that are not there any more have left behind. Raises Refused, Unanswered; the notes stay then."""
    back = []
    for sid in _noted(folder):
        try:
            with _held(folder, sid):
                back += await _settle(numbers, folder, sid)
        except InUse:
            continue
    return back


class InUse(Unavailable):
    """Another process has lent the number."""


class Loan:
    """Of one number. `back` says, when it is over, what became of it."""

    def __init__(self, numbers: Numbers, folder: Path, sid: str, ours: Pointing) -> None:
        self._numbers = numbers
        self._folder = folder
        self._sid = sid
        self._ours = ours
        self._moving: asyncio.Task[bool] | None = None
        self.back: Back | None = None

    async def begin(self) -> None:
        """Note what it is, then change it. When it is not known whether it was changed, the note stays."""
        number = await self._numbers.fetch(self._sid)
        ours = self._ours.with_fallback_of(number.pointing)
        note = Note(number.sid, number.number, number.pointing, ours)
        _write(self._folder, note)
        try:
            await self._numbers.change(number, asdict(ours))
        except Refused:
            _forget(self._folder, self._sid)
            raise

    async def move(self, ours: Pointing) -> bool:
        """We are at another address now. False: somebody else has pointed it elsewhere meanwhile, and it stays so.

        Both addresses are on the disk until Twilio has confirmed the new one. Whoever is cancelled in this leaves it
        to end by itself: what was asked of Twilio already must not come behind what `end` asks.

        Raises Refused, Unanswered.
        """
        self._moving = asyncio.create_task(self._move(ours))
        return await asyncio.shield(self._moving)

    async def _move(self, ours: Pointing) -> bool:
        note = _read(self._folder, self._sid)
        if note is None:
            return False
        number = await self._numbers.fetch(self._sid)
        new = replace(
            note, ours=ours.with_fallback_of(note.ours), before=tuple(dict.fromkeys((note.ours, *note.before)))
        )
        _write(self._folder, new)
        if fields := new.moved(number.pointing):
            number = await self._numbers.change(number, fields)
        _write(self._folder, replace(new, before=()))
        return new.has(number.pointing)

    async def end(self) -> None:
        """Does not raise: whoever ends has other things to tell, and the note stays for the next start."""
        if self._moving:
            await asyncio.gather(self._moving, return_exceptions=True)
        try:
            self.back = next(iter(await _settle(self._numbers, self._folder, self._sid)), None)
        except VoicebotError as error:
            logger.warning(f"the number could not be given back, the next 'voicebot phone dev' will do it: {error}")


async def _settle(numbers: Numbers, folder: Path, sid: str) -> list[Back]:
    """What the note says is done, and the note is gone. Raises Refused, Unanswered."""
    note = _read(folder, sid)
    if note is None:
        return []
    try:
        number = await numbers.fetch(note.sid)
    except Refused as refused:
        if refused.code != NOT_FOUND:
            raise
        _forget(folder, sid)
        return [Back(note.number, "gone")]
    if fields := note.restored(number.pointing):
        number = await numbers.change(number, fields)
    _forget(folder, sid)
    return [Back(note.number, "restored" if number.pointing == note.was else "left alone", number.answered_by)]


# -- on the disk -----------------------------------------------------------------------------------------------------


@contextmanager
def _held(folder: Path, sid: str) -> Iterator[None]:
    """Of all processes, only this one has it. Raises InUse."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{sid}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InUse(f"another 'voicebot phone dev' has the number {sid}: end that one first.") from None
    try:
        yield
    finally:
        lock.release()


def _path(folder: Path, sid: str) -> Path:
    return folder / f"{sid}.json"


def _write(folder: Path, note: Note) -> None:
    """It is there, and whole, when this returns: whatever happens to the process or the machine."""
    path = _path(folder, note.sid)
    aside = path.with_suffix(".new")
    with aside.open("w", encoding="utf-8") as out:
        json.dump(asdict(note), out, indent=2)
        out.flush()
        os.fsync(out.fileno())
    aside.replace(path)
    _sync(folder)


def _read(folder: Path, sid: str) -> Note | None:
    path = _path(folder, sid)
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        was, ours, *before = (Pointing(**each) for each in (kept["was"], kept["ours"], *kept.get("before", ())))
        return Note(kept["sid"], kept["number"], was, ours, tuple(before))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            f"{path} does not say what the number was ({error}). "
            "Set its webhook in Twilio's console, then delete the file."
        ) from None


def _noted(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("PN*.json"))


def _forget(folder: Path, sid: str) -> None:
    _path(folder, sid).unlink(missing_ok=True)
    _sync(folder)


def _sync(folder: Path) -> None:
    """Which files there are is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

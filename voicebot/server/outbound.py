"""Calls that go out: what is asked before one is made, that it is made once, and what became of it.

    row = await Outbound(site).dial(Wish("ava", "+12025550123"), call_id=new_id())

Its row is the intent: committed before Twilio is asked. An id that has a row is never dialled again, whoever asks and
whatever has crashed meanwhile. What Twilio did not answer is looked up there; what cannot be found is in doubt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from loguru import logger

from voicebot.agent import Agent
from voicebot.errors import BadInput, Unavailable, VoicebotError
from voicebot.server.site import Site
from voicebot.server.state import AlreadyKnown, CallRow
from voicebot.server.state.calls import IN_DOUBT, NOT_OPENED
from voicebot.telephony import e164, outbound, quiet
from voicebot.telephony.account import Account, Refused, Unanswered
from voicebot.telephony.phonebook import FILE, Phonebook
from voicebot.telephony.phonebook import Outbound as Rules

_ANSWER_S = 600.0
"""Behind the ringing: how long Twilio may take to begin with it. It makes one call a second unless an account may more;
the others wait in its queue."""
_LOOK_S = (1.0, 2.0, 4.0)
"""When a call that Twilio did not confirm is looked for, each time behind the one before."""


class NotAllowed(VoicebotError):
    """This call is not made. `kind` is a word for programs; `until`, when it may be tried again."""

    def __init__(self, kind: str, sentence: str, until: datetime | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.until = until


@dataclass(frozen=True)
class Wish:
    """A call that somebody wants to be made."""

    agent: str
    to: str
    from_: str = ""
    """'': the first of `phone.yaml`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    at_any_hour: bool = False
    key_id: str = ""


class Outbound:
    """One worker's."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def dial(self, wish: Wish, call_id: str) -> CallRow:
        """The call, as it is now: made, about to be found again, or the one that has this id already.

        Raises NotAllowed, BadInput for what the wish says, Unavailable; nothing was dialled then.
        """
        if known := await self._site.state.calls.get(call_id):
            return known
        book, rules = await self._rules()
        wish = await self._allowed(wish, book, rules)
        account, base = self._ways_out()
        row = CallRow(
            call_id,
            wish.agent,
            "twilio",
            caller=wish.from_,
            callee=wish.to,
            parameters=wish.parameters,
            machine=self._site.machine,
            worker=self._site.worker,
            key_id=wish.key_id,
        )
        try:
            row = await self._site.state.outgoing.intend(row, ttl_s=rules.ring + _ANSWER_S)
        except AlreadyKnown as taken:
            return taken.row
        wanted = outbound.Wanted(call_id, wish.to, wish.from_, base, rules.ring, rules.detect_machines)
        return await self._make(account, row, wanted)

    async def _make(self, account: Account, row: CallRow, wanted: outbound.Wanted) -> CallRow:
        try:
            sid = await account.ask(lambda client: outbound.dial(client, wanted), f"call {wanted.to}")
        except Refused as refused:
            self._site.ledger.ended(row.id, "failed", str(refused))
            raise NotAllowed("refused", f"Twilio does not make this call: {refused}") from None
        except Unanswered as silent:
            if not silent.in_doubt:
                await self._site.state.outgoing.forget(row.id)
                raise
            logger.warning(f"call {row.id} may have been made, or not: {silent}")
            return await self.look_for(row)
        await self._site.state.outgoing.dialled(row.id, sid)
        logger.bind(call=row.id).info(f"call {row.id} goes out: {row.agent}")
        return await self._site.state.calls.get(row.id) or row

    # -- what is in doubt --------------------------------------------------------------------------------------------

    async def look_for(self, row: CallRow) -> CallRow:
        """A call of which nobody knows whether it was made, when it is known; else it has ended, in doubt."""
        for wait_s in _LOOK_S:
            await asyncio.sleep(wait_s)
            known = await self._site.state.calls.get(row.id) or row
            if known.outside_id or known.state != "expected":
                return known  # its webhooks came meanwhile
            if found := await self._asked(lambda client: outbound.find(client, row.id, row.callee, row.created_at)):
                return await self._found(row, found)
        await self._site.state.calls.ended(row.id, IN_DOUBT, "Twilio was asked for it, and does not know it")
        return await self._site.state.calls.get(row.id) or row

    async def settle_orphans(self) -> None:
        """Calls that this worker's predecessor was making when it died, and the news of which it did not get."""
        try:
            orphans = await self._site.state.outgoing.orphans(self._site.machine, self._site.worker)
            if orphans:
                logger.warning(f"{len(orphans)} calls were being made when the server ended: asking Twilio")
            await asyncio.gather(*(self._settle(row) for row in orphans))
        except Unavailable as error:
            logger.warning(f"what became of calls could not be looked up: {error}")

    async def _settle(self, row: CallRow) -> None:
        if not row.outside_id:
            await self.look_for(row)
        elif found := await self._asked(lambda client: outbound.status_of(client, row.outside_id)):
            await self._found(row, found)

    async def _asked(self, what: Callable[[Any], outbound.Found | None]) -> outbound.Found | None:
        """None as well when Twilio cannot be asked."""
        try:
            return await Account.from_settings(self._site.settings).ask(what, "look for a call")
        except VoicebotError as error:
            logger.warning(f"a call could not be looked up: {error}")
            return None

    async def _found(self, row: CallRow, found: outbound.Found) -> CallRow:
        await self._site.state.outgoing.dialled(row.id, found.sid)
        if reason := outbound.UNREACHED.get(found.status):
            await self._site.state.calls.ended(row.id, reason)
        elif found.status == "completed":
            await self._site.state.calls.ended(row.id, NOT_OPENED, "it was over before the agent could speak")
        return await self._site.state.calls.get(row.id) or row

    # -- whether it may be made --------------------------------------------------------------------------------------

    async def _rules(self) -> tuple[Phonebook, Rules]:
        try:
            book = await self._site.phones.book()
        except BadInput as error:
            raise Unavailable(str(error)) from None
        if book is None or book.outbound is None:
            raise NotAllowed("off", f"No calls go out: {FILE} has no 'outbound', with the number they come from.")
        return book, book.outbound

    def _ways_out(self) -> tuple[Account, str]:
        """The account at Twilio, and where Twilio reaches this server."""
        address = self._site.address
        if not address.url:
            raise Unavailable("Twilio cannot reach this server: start it with --public-url https://...")
        if address.lost:
            raise Unavailable(f"Twilio cannot reach this server now: {address.url} does not lead here any more.")
        try:
            return Account.from_settings(self._site.settings), address.url
        except BadInput as error:
            raise Unavailable(str(error)) from None

    async def _allowed(self, wish: Wish, book: Phonebook, rules: Rules) -> Wish:
        """The wish with its numbers as they are dialled. Raises NotAllowed, BadInput."""
        to = e164.e164(wish.to)
        from_ = e164.e164(wish.from_) if wish.from_ else rules.from_[0]
        if from_ not in rules.from_:
            raise NotAllowed("from", f"{from_} is none of the numbers in 'outbound.from' of {FILE}.")
        _check_country(to, rules)
        if await self._site.phones.refused(to):
            raise NotAllowed("do_not_call", f"{to} is on the list of those who must not be called.")
        if not wish.at_any_hour:
            _check_hour(to, book)
        check_words(await self._site.agents.get(wish.agent), wish.parameters, rules)
        return Wish(wish.agent, to, from_, wish.parameters, wish.at_any_hour, wish.key_id)


def _check_country(to: str, rules: Rules) -> None:
    country = e164.country_of(to)
    allowed = rules.countries or [e164.country_of(number) for number in rules.from_]
    if country not in allowed:
        where = (
            f"{country or 'an unknown country'}: 'outbound.countries' of {FILE} has {', '.join(sorted(set(allowed)))}"
        )
        raise NotAllowed("country", f"{to} is in {where}.")
    if e164.is_costly(to):
        raise NotAllowed("country", f"{to} costs more than a call, and such numbers are not called.")


def _check_hour(to: str, book: Phonebook) -> None:
    now = datetime.now(UTC)
    until = quiet.may_call(book, to, now)
    if until is None:
        raise NotAllowed("quiet", f"{to} can never be called: it is always late in one of the places where it may be.")
    if until > now:
        there = until.astimezone(quiet.zones(book, to)[0])
        raise NotAllowed("quiet", f"It is too late to call {to}, or too early; from {there:%H:%M %Z} it is not.", until)


def check_words(agent: Agent, parameters: Mapping[str, str], rules: Rules) -> None:
    """Whether a call has the variables that stand in what its agent says. Raises BadInput."""
    spoken_for(agent, parameters)
    outbound.filled(rules.voicemail or "", parameters)


def spoken_for(agent: Agent, parameters: Mapping[str, str]) -> Agent:
    """The agent with the variables of one call in its greeting and its prompt. Raises BadInput."""
    if not outbound.variables_of(f"{agent.greeting} {agent.brain.prompt}"):
        return agent
    try:
        return agent.in_one_call(lambda text: outbound.filled(text, parameters))
    except BadInput as error:
        raise BadInput(f"agent '{agent.name}': {error}") from None

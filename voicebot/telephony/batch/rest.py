"""The server that makes the calls, as a client of its REST interface sees it.

    async with Rest("http://127.0.0.1:8080", key) as server:
        seen = await server.call("ava", "+12025550123", call_id="20260131-174502-9f86d0")
        seen = await server.look(seen.id)

`call` may be asked again with the same id for as long as nobody has answered: the call is made once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from voicebot.errors import BadInput, Unavailable
from voicebot.telephony.batch.ledger import Outcome

_ANSWER_S = 60.0
"""Twilio has 15 s for an answer, and a call that it did not confirm is looked for."""
_LATER_S = 5.0
_PAGE = 200
"""Calls in one answer: the most that the server gives."""


_OUTCOMES: dict[str, Outcome] = {
    "busy": "busy",
    "no_answer": "no_answer",
    "canceled": "canceled",
    "in_doubt": "in_doubt",
}
"""Reasons of calls that nobody has answered."""


class Seen(BaseModel):
    """A call, as the server has it now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    state: str
    reason: str = ""
    detail: str = ""
    answered_by: str = ""
    outside_id: str = ""
    started_at: str | None = None

    @property
    def over(self) -> bool:
        return self.state in ("ended", "lost")

    @property
    def outcome(self) -> Outcome:
        """Of a call that is over."""
        if self.answered_by in ("machine", "fax"):
            return "voicemail"
        if self.state == "lost":
            return "lost"
        if self.reason in _OUTCOMES:
            return _OUTCOMES[self.reason]
        return "answered" if self.started_at else "failed"


_PAGES = TypeAdapter(list[Seen])


class NotMade(Exception):
    """The server does not make this call, and says why."""

    def __init__(self, sentence: str, retry_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_s = retry_s
        """In how long it may be asked again; None: never."""


class Later(Exception):
    """The server cannot say now: it is away, full, or asked too often. Whether the call was made is not known."""

    def __init__(self, sentence: str, retry_s: float = _LATER_S) -> None:
        super().__init__(sentence)
        self.retry_s = retry_s


@dataclass(frozen=True)
class _Said:
    """A problem that the server answered with."""

    status: int
    detail: str
    retry_s: float | None


class Rest:
    """One server. Raises BadInput when it is the key that is wrong."""

    def __init__(self, url: str, key: SecretStr) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"}
        self._http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=_ANSWER_S, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def call(
        self,
        agent: str,
        to: str,
        *,
        call_id: str,
        from_: str = "",
        parameters: Mapping[str, str] | None = None,
        at_any_hour: bool = False,
    ) -> Seen:
        """Have it made, once for one id. Raises NotMade, Later, BadInput."""
        wanted: dict[str, Any] = {"agent": agent, "to": to, "parameters": dict(parameters or {})}
        if from_:
            wanted["from"] = from_
        if at_any_hour:
            wanted["at_any_hour"] = True
        return await self._seen("POST", "/v1/calls", json=wanted, headers={"Idempotency-Key": call_id})

    async def look(self, call_id: str) -> Seen:
        """Raises Later, BadInput, NotMade when there is no such call."""
        return await self._seen("GET", f"/v1/calls/{call_id}")

    async def latest(self) -> list[Seen]:
        """The latest calls of the server, of whoever made them. Raises Later, BadInput."""
        answer = await self._asked("GET", f"/v1/calls?limit={_PAGE}")
        try:
            return _PAGES.validate_python(answer.json()["calls"])
        except (ValidationError, ValueError, KeyError, TypeError):
            raise self._strange() from None

    async def events(self, call_id: str) -> AsyncIterator[str]:
        """The events of a call that is live, each as JSON, until it is over. Raises Later, BadInput, NotMade."""
        try:
            async with self._http.stream("GET", f"/v1/calls/{call_id}/events") as answer:
                if answer.is_error:
                    await answer.aread()
                    raise _raised(_problem(answer))
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        yield line.removeprefix("data:").strip()
        except httpx.HTTPError as error:
            raise self._away(error) from None

    async def _seen(self, method: str, path: str, **how: Any) -> Seen:
        answer = await self._asked(method, path, **how)
        try:
            return Seen.model_validate_json(answer.content)
        except ValidationError:
            raise self._strange() from None

    async def _asked(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **how)
        except httpx.HTTPError as error:
            raise self._away(error) from None
        if answer.is_error:
            raise _raised(_problem(answer))
        return answer

    def _strange(self) -> Unavailable:
        return Unavailable(f"{self.url} does not answer as 'voicebot serve' does.")

    def _away(self, error: httpx.HTTPError) -> Later:
        return Later(f"{self.url} does not answer ({type(error).__name__})")


def _problem(answer: httpx.Response) -> _Said:
    try:
        said = answer.json()
        detail = str(said.get("detail") or said.get("title") or "")
    except (ValueError, AttributeError):
        detail = ""
    after = answer.headers.get("retry-after", "")
    return _Said(answer.status_code, detail or f"HTTP {answer.status_code}", float(after) if after.isdigit() else None)


def _raised(said: _Said) -> NotMade | Later | BadInput:
    if said.status in (401, 403):
        return BadInput(f"{said.detail} Make a key with: voicebot keys create NAME --scope calls:write,calls:read")
    if said.status == 429 or said.status >= 500:
        return Later(said.detail, said.retry_s or _LATER_S)
    return NotMade(said.detail, said.retry_s if said.status == 409 else None)

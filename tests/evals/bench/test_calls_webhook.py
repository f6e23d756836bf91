from __future__ import annotations

import asyncio

import pytest

from voicebot.evals.bench.calls.line import NoAnswer
from voicebot.evals.bench.calls.plan import Door
from voicebot.evals.bench.calls.webhook import Stream, signed, stream_of

TOKEN = "12345"
TWIML = """<?xml version="1.0" encoding="UTF-8"?><Response><Connect action="/after">
<Stream url="wss://voice.example.com/twilio/stream"><Parameter name="ticket" value="abc"/></Stream>
</Connect></Response>"""


def test_requests_are_signed_as_twilio_documents_it():
    """The example of https://www.twilio.com/docs/usage/security#validating-requests."""
    asked = {
        "Digits": "1234",
        "To": "+18005551212",
        "From": "+14158675310",
        "Caller": "+14158675310",
        "CallSid": "CA1234567890ABCDE",
    }
    header = signed(TOKEN, "https://mycompany.com/myapp.php?foo=1&bar=2", asked)
    validator = pytest.importorskip("twilio.request_validator").RequestValidator(TOKEN)
    assert validator.validate("https://mycompany.com/myapp.php?foo=1&bar=2", asked, header["X-Twilio-Signature"])


def test_without_a_token_nothing_is_signed():
    assert signed("", "https://voice.example.com", {}) == {}


async def answered(status: str, body: str) -> Stream:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await stream_of(Door(f"http://127.0.0.1:{port}", "ava", TOKEN), "0" * 32)


async def test_the_webhook_says_where_to_stream_and_what_to_show_there():
    stream = await answered("200 OK", TWIML)
    assert stream.url == "wss://voice.example.com/twilio/stream"
    assert stream.parameters == {"ticket": "abc"}
    assert stream.headers == signed(TOKEN, stream.url, {})


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        ("403 Forbidden", "", "403"),
        ("200 OK", "<Response><Say>All lines are busy.</Say></Response>", "refused with <Say>"),
        ("200 OK", "hello", "no TwiML"),
    ],
)
async def test_a_call_that_is_not_taken_says_why(status: str, body: str, why: str):
    with pytest.raises(NoAnswer, match=why):
        await answered(status, body)

"""Who is Twilio, and where Twilio thinks that we are."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from tests.doubles.twilio_caller import signature
from voicebot.server.settings import Settings

pytest.importorskip("twilio", reason="the package twilio is not installed (extra 'server')")

from voicebot.server.twilio.signature import SETTING, Asked, Form, Signatures, Unsigned

TOKEN = "a-token"
FORM = {"CallSid": "CA1", "From": "+15550100", "CallerName": ""}
PATH = "/twilio/voice/ava?campaign=a%20b"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, TOKEN)


def asked(url: str = "", *, target: str = PATH, form: Mapping[str, str] = FORM, **headers: str) -> Asked:
    """A request that Twilio sent to `url`, and that arrived with `headers`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = {"x-twilio-signature": signature(url, form, TOKEN)} if url else {}
    return Asked(target, Headers({**signed, **named}), Form(list(form.items())))


def test_it_signs_as_twilio_documents_it():
    """The example in the documentation of its libraries."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, form, "12345") == "GvWf1cFY/Q7PnoempGyD5oXAezc="


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("https://voice.example.com", {"host": "voice.example.com"}),
        ("https://voice.example.com:8443", {"host": "voice.example.com:8443"}),
        ("https://voice.example.com:443", {"host": "voice.example.com"}),
        ("http://127.0.0.1:8080", {"host": "127.0.0.1:8080"}),
        ("https://voice.example.com", {"host": "10.0.0.5:8080", "x-forwarded-host": "voice.example.com"}),
        ("https://voice.example.com", {"host": "voice.example.com", "x-forwarded-proto": "http"}),
        ("https://voice.example.com", {"host": "a", "x-forwarded-host": "voice.example.com, inner:80"}),
    ],
)
def test_the_address_that_the_signature_fits_is_ours(tmp_path: Path, url: str, headers: dict[str, str]):
    signed = asked(url + PATH)
    request = replace(signed, headers=Headers({**signed.headers, **headers}))
    found = Signatures(Settings(project=tmp_path)).base(request)
    assert found == url.removesuffix(":443")


def test_a_public_url_is_the_only_one_and_may_have_a_path(tmp_path: Path):
    signatures = Signatures(Settings(project=tmp_path, public_url="https://voice.example.com/bots/"))
    url = f"https://voice.example.com/bots{PATH}"
    assert signatures.base(asked(url, host="10.0.0.5")) == "https://voice.example.com/bots"
    with pytest.raises(Unsigned):
        signatures.base(asked(f"https://other.example.com{PATH}", host="other.example.com"))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(asked(host="voice.example.com"), id="no signature"),
        pytest.param(asked("https://voice.example.com/other", host="voice.example.com"), id="another path"),
        pytest.param(asked(f"https://voice.example.com{PATH}", host="evil.example.com"), id="another host"),
        pytest.param(
            asked(f"https://voice.example.com{PATH}", target=PATH + "&a=1", host="voice.example.com"), id="more query"
        ),
        pytest.param(
            Asked(PATH, asked(f"https://voice.example.com{PATH}", host="voice.example.com").headers), id="no form"
        ),
        pytest.param(asked(host="voice.example.com", x_twilio_signature="é" * 28), id="a strange signature"),
        pytest.param(asked(f"https://a:99999{PATH}", host="a:99999"), id="a port that is none"),
        pytest.param(asked(f"https://a b{PATH}", host="a b"), id="a host that is none"),
        pytest.param(
            asked(
                f"https://voice.example.com{PATH}",
                host="voice.example.com",
                x_twilio_webhooks_signature_settings="algorithm=NONE",
            ),
            id="an algorithm that is none",
        ),
    ],
)
def test_what_is_not_signed_for_here_is_not_twilios(tmp_path: Path, request_: Asked):
    with pytest.raises(Unsigned):
        Signatures(Settings(project=tmp_path)).base(request_)


def test_a_header_that_was_sent_twice_says_nothing(tmp_path: Path):
    from websockets.datastructures import Headers as WireHeaders

    url = "wss://voice.example.com/twilio/stream"
    one = WireHeaders({"Host": "voice.example.com", "X-Twilio-Signature": signature(url, token=TOKEN)})
    Signatures(Settings(project=tmp_path)).base_of_upgrade(Asked("/twilio/stream", one))
    one["X-Twilio-Signature"] = signature(url, token=TOKEN)
    with pytest.raises(Unsigned):
        Signatures(Settings(project=tmp_path)).base_of_upgrade(Asked("/twilio/stream", one))


@pytest.mark.parametrize("url", ["wss://voice.example.com/twilio/stream", "wss://voice.example.com/twilio/stream/"])
def test_an_upgrade_is_signed_over_its_own_url(tmp_path: Path, url: str):
    signatures = Signatures(Settings(project=tmp_path, public_url="https://voice.example.com"))
    signatures.base_of_upgrade(asked(url, target="/twilio/stream", form={}))
    with pytest.raises(Unsigned):
        signatures.base_of_upgrade(asked("https://voice.example.com/twilio/stream", target="/twilio/stream", form={}))


def test_two_tokens_are_good_while_one_is_exchanged_and_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    signatures = Signatures(Settings(project=tmp_path))
    request = asked(f"https://voice.example.com{PATH}", host="voice.example.com")
    monkeypatch.setenv(SETTING, f"next-token, {TOKEN}")
    signatures.base(request)
    monkeypatch.setenv(SETTING, "next-token")
    with pytest.raises(Unsigned):
        signatures.base(request)
    monkeypatch.delenv(SETTING)
    (tmp_path / ".env").write_text(f"{SETTING}={TOKEN}\n")
    signatures.base(request)


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
def test_without_a_token_nobody_is_twilio_and_the_log_says_once_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
):
    from loguru import logger

    said: list[str] = []
    number = logger.add(said.append, format="{message}", level="WARNING")
    monkeypatch.setenv(SETTING, value)
    signatures = Signatures(Settings(project=tmp_path))
    try:
        for token in ("", TOKEN):
            url = f"https://voice.example.com{PATH}"
            headers = {"host": "voice.example.com", "x-twilio-signature": signature(url, FORM, token)}
            with pytest.raises(Unsigned):
                signatures.base(Asked(PATH, Headers(headers), Form(list(FORM.items()))))
    finally:
        logger.remove(number)
    assert len(said) == 1
    assert SETTING in said[0]
    assert "campaign" not in said[0]


def test_where_signatures_are_off_the_address_is_what_the_request_says(tmp_path: Path):
    signatures = Signatures(Settings(project=tmp_path, signatures=False))
    assert signatures.base(asked(host="127.0.0.1:8080")) == "http://127.0.0.1:8080"
    assert signatures.base(asked(host="x.ngrok.app", x_forwarded_proto="https")) == "https://x.ngrok.app"


def test_shared_keys_sign_with_sha256(tmp_path: Path):
    url = f"https://voice.example.com{PATH}"
    signed = url + "".join(f"{name}{value}" for name, value in sorted(FORM.items()))
    digest = base64.b64encode(hmac.digest(TOKEN.encode(), signed.encode(), hashlib.sha256)).decode()
    headers = {
        "host": "voice.example.com",
        "x-twilio-signature": digest,
        "x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
    }
    Signatures(Settings(project=tmp_path)).base(Asked(PATH, Headers(headers), Form(list(FORM.items()))))

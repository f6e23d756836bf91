"""What claims to be Twilio: without its signature nothing happens, and with it no form can break anything."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from hypothesis import strategies as st

from tests.doubles.fuzzing import exchange, for_a_while, names, request, statuses, well_behaved
from tests.doubles.serve_process import TOKEN
from tests.doubles.twilio_caller import PUBLIC, signature
from tests.server.fuzz.conftest import Target

PATHS = ["/twilio/voice/ava", "/twilio/voice/{}", "/twilio/after/{}", "/twilio/status/{}", "/twilio/voice/ava?x={}"]
FIELDS = ["CallSid", "AccountSid", "From", "To", "CallStatus", "DialCallStatus", "StreamEvent", "StreamError", "Digits"]
CALL = {"CallSid": "CA1", "AccountSid": "AC1", "From": "+15550100", "To": "+15550199", "CallStatus": "ringing"}
texts = st.one_of(
    st.text(max_size=40), st.sampled_from(["CA1", "completed", "stream-error", "busy", "\0", "]]>", "a" * 3000])
)
forms = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), texts, max_size=8),
    st.dictionaries(st.text(max_size=10), texts, max_size=4).map(lambda more: {**more, **CALL}),
)
webhooks = st.tuples(st.sampled_from(PATHS), names, forms)


def _webhook(path: str, form: Mapping[str, str], signed: str) -> bytes:
    sent = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signed}
    return request("POST", path, urlencode(form, errors="surrogatepass").encode(), sent)


def _path(path: str, name: str) -> str:
    """As `request` sends it."""
    target = request("GET", path.format(name) if "{}" in path else path).split(b" ")[1]
    return target.decode("latin-1")


def test_what_is_not_signed_gets_no_call(target: Target) -> None:
    def check(several: list[tuple[str, str, Mapping[str, str]]], signatures: list[str]) -> None:
        sent = [
            _webhook(path.format(name) if "{}" in path else path, form, signed)
            for (path, name, form), signed in zip(several, signatures, strict=False)
        ]
        for reply in exchange(target.port, sent, within_s=5, whole=True):
            well_behaved(reply)
            assert 400 <= statuses(reply)[0] < 500, reply[:500]
            assert b"<Response" not in reply

    right = signature(f"{PUBLIC}/twilio/voice/ava", CALL, TOKEN)
    wrong = st.one_of(
        st.sampled_from(
            ["", "AAAA", "=" * 28, right[:-1], right.swapcase(), right.lower(), signature(PUBLIC, {}, TOKEN)]
        ),
        st.text("ABCDEFabcdef0123456789+/=", max_size=40),
    )
    for_a_while(check, st.lists(webhooks, min_size=4, max_size=8), st.lists(wrong, min_size=8, max_size=8))


def test_what_is_signed_always_gets_twiml_or_a_reason(target: Target) -> None:
    def check(several: list[tuple[str, str, Mapping[str, str]]]) -> None:
        sent = []
        for path, name, form in several:
            plain = {key: value.encode("utf-8", "replace").decode() for key, value in form.items()}
            where = _path(path, name)
            sent.append(_webhook(where, plain, signature(f"{PUBLIC}{where}", plain, TOKEN)))
        for reply in exchange(target.port, sent, within_s=8, whole=True):
            well_behaved(reply)
            (status,) = statuses(reply)
            assert status in (200, 204, 400, 403, 404, 405, 413, 414, 422), reply[:500]

    for_a_while(check, st.lists(webhooks, min_size=2, max_size=8))


def test_a_signature_is_good_for_what_it_was_made_for_and_nothing_else(target: Target) -> None:
    good = signature(f"{PUBLIC}/twilio/voice/ava", CALL, TOKEN)
    (reply,) = exchange(target.port, [_webhook("/twilio/voice/ava", CALL, good)], within_s=5, whole=True)
    assert b"<Connect" in reply
    replayed = [
        _webhook("/twilio/voice/bea", CALL, good),
        _webhook("/twilio/voice/ava?x=1", CALL, good),
        _webhook("/twilio//voice/ava", CALL, good),
        _webhook("/twilio/voice/ava", {**CALL, "From": "+15550111"}, good),
        _webhook("/twilio/voice/ava", {**CALL, "Extra": ""}, good),
    ]
    for reply in exchange(target.port, replayed, within_s=5, whole=True):
        assert statuses(reply)[0] in (403, 404), reply[:500]
        assert b"<Connect" not in reply

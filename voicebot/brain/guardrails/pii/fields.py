"""Private values under names that say so, in the JSON and records that tools return."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voicebot.agent.guardrails import PiiKind
from voicebot.brain.guardrails.pii.scene import Private, Scene

_FIELD = re.compile(
    r"""["']?\b(?P<key>[a-z][a-z_ -]{1,30})["']?\s?[:=]\s?(?:"(?P<quoted>[^"\n]{1,120})"|'(?P<single>[^'\n]{1,120})'|"""
    r"""(?P<bare>[^"',;{}\[\]\n]{1,80}))""",
    re.IGNORECASE,
)
_KINDS: dict[PiiKind, str] = {
    "name": "firstname lastname fullname surname familyname givenname middlename maidenname customername "
    "patientname callername cardholder cardholdername accountholder contactname membername guestname clientname",
    "birth_date": "dob dateofbirth birthdate birthday birthdate borndate",
    "ssn": "ssn socialsecuritynumber socialsecurity taxid",
    "address": "address streetaddress homeaddress billingaddress shippingaddress mailingaddress street addressline",
}
_KEYS = {key: kind for kind, keys in _KINDS.items() for key in keys.split()}


def find(scene: Scene) -> Iterator[Private]:
    """Names, dates of birth and addresses by their field; of the other kinds each shows what it is by itself."""
    if scene.side != "results":
        return
    for match in _FIELD.finditer(scene.reading.raw):
        kind = _KEYS.get(re.sub(r"[ _-]", "", match["key"].lower()))
        group = next((name for name in ("quoted", "single", "bare") if match[name]), None)
        if kind and group and match[group].strip(" *-"):
            value = match[group].strip()
            start = match.start(group) + match[group].index(value)
            yield Private(kind, value, start, start + len(value), 0.9)

"""Telephone numbers as people write them, and what a number says about whoever has it: country, languages, time zones.

    e164("+1 (202) 555-0123")         # '+12025550123'
    country_of("+4930123456")         # 'DE'
    zones_of("+13035550199")          # (ZoneInfo('America/Denver'),)

From the metadata of Google's libphonenumber, which is part of the package phonenumbers.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from voicebot.errors import BadInput

PATTERN = r"^\+[1-9][0-9]{6,14}$"
"""How a number is written between programs."""
LANGUAGES = {
    "ar": "AE BH DZ EG IQ JO KW LB LY MA OM QA SA SY TN YE",
    "bg": "BG",
    "bn": "BD",
    "ca": "AD",
    "cs": "CZ",
    "da": "DK",
    "de": "AT CH DE LI LU",
    "el": "CY GR",
    "en": "AU BS CA GB GH IE JM KE MT NG NZ PH SG TT UG US ZA ZM ZW",
    "es": "AR BO CL CO CR CU DO EC ES GT HN MX NI PA PE PR PY SV UY VE",
    "et": "EE",
    "fa": "IR",
    "fi": "FI",
    "fr": "BE BF BJ CA CD CG CH CI CM FR GA GN LU MC ML MG NE SN TG",
    "he": "IL",
    "hi": "IN",
    "hr": "HR",
    "hu": "HU",
    "id": "ID",
    "it": "CH IT SM VA",
    "ja": "JP",
    "ko": "KR",
    "lt": "LT",
    "lv": "LV",
    "ms": "BN MY",
    "nb": "NO",
    "nl": "BE NL SR",
    "pl": "PL",
    "pt": "AO BR MZ PT",
    "ro": "MD RO",
    "ru": "BY KZ RU",
    "sk": "SK",
    "sl": "SI",
    "sr": "RS",
    "sv": "FI SE",
    "sw": "KE TZ",
    "th": "TH",
    "tr": "CY TR",
    "uk": "UA",
    "ur": "PK",
    "vi": "VN",
    "zh": "CN HK MO SG TW",
}
"""In which countries a language is what a caller is first addressed in, or one of several such."""
_COSTLY = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


def e164(text: str) -> str:
    """The number in E.164. Raises BadInput for what is no number that can be dialled from anywhere."""
    number = _parsed(text)
    if number is None or not phonenumbers.is_possible_number(number):
        raise BadInput(f"'{text}' is no telephone number. Write it with its country, as +12025550123.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country_of(number: str) -> str:
    """The ISO code of the country of an E.164 number; '' where that is not known: hidden, SIP, a satellite."""
    parsed = _parsed(number)
    if parsed is None:
        return ""
    code = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return code if code and code.isalpha() and code != "ZZ" else ""


def languages_of(number: str) -> tuple[str, ...]:
    """The languages of its country, as codes; () where the country, or its languages, are not known."""
    country = country_of(number)
    return tuple(code for code, countries in LANGUAGES.items() if country and country in countries.split())


def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """The time zones in which whoever has the number may be; () where nothing is known."""
    parsed = _parsed(number)
    return _zones(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)) if parsed else ()


def is_costly(number: str) -> bool:
    """Whether calling it costs more than a call: such numbers are what frauds have others dial."""
    parsed = _parsed(number)
    return parsed is not None and phonenumbers.number_type(parsed) in _COSTLY


def countries() -> frozenset[str]:
    """The codes of all countries that have telephone numbers."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def _parsed(text: str) -> PhoneNumber | None:
    if not text.strip().startswith("+") or len(text) > 40:
        return None
    try:
        return phonenumbers.parse(text)
    except NumberParseException:
        return None


@lru_cache(maxsize=4096)
def _zones(number: str) -> tuple[ZoneInfo, ...]:
    from phonenumbers import timezone  # its table takes a tenth of a second to load

    found = []
    for name in timezone.time_zones_for_number(phonenumbers.parse(number)):
        try:
            found.append(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError):  # 'Etc/Unknown', or a machine with an older list
            continue
    return tuple(found)

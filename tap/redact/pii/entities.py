"""The kinds of personal data, as a table: what a candidate looks like, and what rules it out.

A candidate that its guard admits is taken out even where Presidio is not installed: too much, rather than too little.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mcptap.tap.redact.checks import is_luhn, is_mod97
from mcptap.tap.redact.rule import EachTime, widened

# Kinds whose recognizers find them everywhere, or take for ever. Nobody can switch them on.
REFUSED: Final = {
    "URL": "addresses are no personal data, and its search can take for ever",
    "US_DRIVER_LICENSE": "any few digits look like one",
    "DATE_TIME": "every log line has one",
    "UUID": "identifiers are what records are joined by",
    "PERSON": "needs a language model",
    "LOCATION": "needs a language model",
    "NRP": "needs a language model",
    "ORGANIZATION": "needs a language model",
}
_IN_ADDRESS: Final = re.compile(r"://\S*\Z|/\Z")
_FILES: Final = (
    "png jpg jpeg gif svg webp ico css js mjs ts tsx json html pdf woff woff2 ttf mp4 py rb go rs md txt sh yml yaml"
)
_FILE_ENDINGS: Final = frozenset(_FILES.split())
_RESERVED: Final = frozenset(("example", "test", "invalid", "localhost", "local", "internal", "localdomain", "lan"))
_DOCUMENTATION: Final = re.compile(r"(?:.+\.)?example\.(?:com|org|net|edu)", re.IGNORECASE)
_NOBODY: Final = frozenset(
    [
        "git",
        "hg",
        "svn",
        "noreply",
        "no-reply",
        "donotreply",
        "do-not-reply",
        "mailer-daemon",
        "postmaster",
        "root",
        "nobody",
        "bot",
        "ssh",
    ]
)
# By the public suffix list such an address is one whatever its names are.
_ORDINARY_EMAIL: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9._+-]*[a-z0-9])?@(?:[a-z0-9]+\.)+(?P<top>com|org|net)", re.IGNORECASE | re.ASCII
)
_RESOLVERS: Final = frozenset(
    ("1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "208.67.222.222", "208.67.220.220")
)
# Issuer and lengths of card numbers (ISO/IEC 7812).
_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11}|62\d{14,17}"
)
_GROUPS: Final = re.compile(r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")


@dataclass(frozen=True, slots=True)
class Entity:
    """One kind: how Presidio calls it, the class that knows it, and what could be one."""

    name: str
    class_name: str
    candidate: re.Pattern[str]
    trigger: str  # for Hyperscan
    keywords: tuple[str, ...] = ()  # one of them is in every candidate
    enough: float = 1.0  # a score that is as good as the threshold, for the candidate has been looked at closely
    admits: Callable[[str], bool] | None = None  # None: only Presidio can, and what stands around it counts
    never_behind: re.Pattern[str] | None = None  # what stands right before something else that looks like one
    alike: Callable[[str], str] = str  # an admitted candidate of which Presidio says what it says of this one


def _admits_email(text: str) -> bool:
    local, _, domain = text.partition("@")
    labels = domain.lower().split(".")
    return not (
        "/" in local
        or local.lower() in _NOBODY
        or local.lower().endswith(("noreply", "no-reply"))
        or labels[-1] in _RESERVED
        or labels[-1] in _FILE_ENDINGS
        or not labels[-1][:1].isalpha()
        or _DOCUMENTATION.fullmatch(domain)
    )


def _alike_email(text: str) -> str:
    """Under a domain below which nothing but names are registered, all names are alike."""
    match = _ORDINARY_EMAIL.fullmatch(text)
    return f"a@a.{match['top']}" if match else text


def _admits_card(text: str) -> bool:
    digits = re.sub("[ -]", "", text)
    return _GROUPS.fullmatch(text) is not None and _ISSUERS.fullmatch(digits) is not None and is_luhn(digits)


def _admits_iban(text: str) -> bool:
    compact = text.replace(" ", "")
    return 15 <= len(compact) <= 34 and is_mod97(compact)


def _admits_ssn(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _admits_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return address.is_global and str(address) not in _RESOLVERS


def _entity(
    name: str,
    class_name: str,
    candidate: str,
    *,
    keywords: tuple[str, ...] = (),
    admits: Callable[[str], bool] | None = None,
    never_behind: re.Pattern[str] | None = None,
    alike: Callable[[str], str] = str,
    trigger: str = "",
    enough: float = 1.0,
) -> Entity:
    pattern, told = re.compile(candidate), trigger or widened(candidate)
    return Entity(name, class_name, pattern, told, keywords, enough, admits, never_behind, alike)


# Of an e-mail address. The name is looked for backwards from the `@`.
LONGEST_LOCAL: Final = 64
LOCAL: Final = re.compile(rf"[\w.!#$%&'*+/=?^`{{|}}~-]{{1,{LONGEST_LOCAL}}}")
DOMAIN: Final = re.compile(r"(?:\w[\w-]{0,62}\.){1,8}\w[\w-]{1,62}")
_LABEL: Final = r"[^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7e]"  # a letter of any alphabet, a digit, `_` or `-`
_NUMBER: Final = r"(?<![\w.-])[A-Za-z]{0,3}[ -]?\d(?:[ -]?[\dA-Za-z]){3,18}(?![\w-])"
_TRIGGER: Final = r"\d"
_BY_NUMBER: Final = (
    ("US_ITIN", "UsItin"), ("UK_NHS", "Nhs"), ("MEDICAL_LICENSE", "MedicalLicense"), ("US_PASSPORT", "UsPassport"),
    ("US_BANK_NUMBER", "UsBank"), ("ABA_ROUTING_NUMBER", "AbaRouting"), ("US_NPI", "UsNpi"), ("US_MBI", "UsMbi"),
    ("UK_NINO", "UkNino"), ("CA_SIN", "CaSin"), ("AU_ABN", "AuAbn"), ("AU_ACN", "AuAcn"), ("AU_TFN", "AuTfn"),
    ("AU_MEDICARE", "AuMedicare"), ("IN_AADHAAR", "InAadhaar"), ("IN_PAN", "InPan"), ("IT_FISCAL_CODE", "ItFiscalCode"),
    ("ES_NIF", "EsNif"), ("ES_NIE", "EsNie"), ("PL_PESEL", "PlPesel"), ("SG_NRIC_FIN", "SgFin"),
    ("DE_TAX_ID", "DeTaxId"),
    ("FI_PERSONAL_IDENTITY_CODE", "FiPersonalIdentityCode"), ("KR_RRN", "KrRrn"), ("TH_TNIN", "ThTnin"),
)  # fmt: skip

ENTITIES: Final[dict[str, Entity]] = {
    entity.name: entity
    for entity in (
        _entity(
            "EMAIL_ADDRESS",
            "EmailRecognizer",
            rf"(?<![\w.+%-]){LOCAL.pattern}@{DOMAIN.pattern}",
            keywords=("@",),
            admits=_admits_email,
            never_behind=_IN_ADDRESS,
            alike=_alike_email,
            trigger=EachTime(rf"[^\s@]@{_LABEL}+\.{_LABEL}{{2}}"),
        ),
        _entity(
            "CREDIT_CARD",
            "CreditCardRecognizer",
            r"(?<![\w.-])[2-6](?:[ -]?\d){12,18}(?![\w-])",
            admits=_admits_card,
            never_behind=re.compile(r"0x\Z|\.\Z"),
            trigger=r"(?:^|[^\w.-])[2-6]\d{3}"
            r"(?:\d{9,15}|[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|[ -]\d{6}[ -]\d{4,5})(?:\z|[^\w-])",
        ),
        _entity(
            "IBAN_CODE",
            "IbanRecognizer",
            r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])",
            admits=_admits_iban,
        ),
        _entity("US_SSN", "UsSsnRecognizer", r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", admits=_admits_ssn),
        _entity(
            "IP_ADDRESS",
            "IpRecognizer",
            r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)",
            admits=_admits_address,
            trigger=r"\d{1,3}\.\d{1,3}\.\d|[0-9A-Fa-f]*:[0-9A-Fa-f]*:",
        ),
        _entity("MAC_ADDRESS", "MacAddressRecognizer", r"(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-])"),
        _entity(
            "CRYPTO", "CryptoRecognizer", r"(?<![A-Za-z0-9])(?:bc1[a-z0-9]{25,59}|[13][1-9A-HJ-NP-Za-km-z]{25,34})"
        ),
        _entity(
            "PHONE_NUMBER", "PhoneRecognizer", r"(?<![\w+])\+\d[\d ()./-]{6,20}\d(?![\w])", keywords=("+",), enough=0.4
        ),
        *(_entity(name, f"{prefix}Recognizer", _NUMBER, trigger=_TRIGGER) for name, prefix in _BY_NUMBER),
    )
}

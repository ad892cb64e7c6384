"""Personal data is found by Presidio's recognizers, at candidates only, and without the network."""

import socket
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.pii import personal, presidio
from mcptap.tap.redact.pii.entities import ENTITIES
from mcptap.tap.redact.scan import BUILT_IN, SIGNS
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.settings import Pii, Recognizer

REDACTOR = Redactor(b"k" * 32)
FOUND = [
    ("write to jane.roe@contoso.com, please", "jane.roe@contoso.com", "pii-email-address"),
    ("<a href='mailto:j+x@mail.contoso.co.uk'>", "j+x@mail.contoso.co.uk", "pii-email-address"),
    ("card 4111 1111 1111 1111 exp 12/29", "4111 1111 1111 1111", "pii-credit-card"),
    ("card=5500000000000004;", "5500000000000004", "pii-credit-card"),
    ("amex 3782 822463 10005.", "3782 822463 10005", "pii-credit-card"),
    ("to DE89 3704 0044 0532 0130 00 now", "DE89 3704 0044 0532 0130 00", "pii-iban-code"),
    ("GB82WEST12345698765432", "GB82WEST12345698765432", "pii-iban-code"),
    ("SSN 536-90-4399", "536-90-4399", "pii-us-ssn"),
]
PLAIN = [
    "git@github.com:org/repo.git",
    "icon@2x.png and lodash@4.17.21 and @scope/package@1.2.3",
    "jane@example.com, a@b.test, me@localhost",
    "noreply@contoso.com",
    "epoch 1131566548 2005 and 1700000000000",
    "4111 1111 1111 1112",
    "41111111-11111111",
    "0000 0000 0000 0000",
    "DE89 3704 0044 0532 0130 01",
    "000-12-3456 and 666-12-3456 and 123-45-67890 and 2026-11-21",
    "+1 555 0100, 10.0.0.1, 8.8.8.8",
    "1234567890123456",
]


@pytest.mark.parametrize(("text", "secret", "rule"), FOUND)
def test_it_is_taken_out(text: str, secret: str, rule: str) -> None:
    clean, (note,) = REDACTOR.text(text)
    assert secret not in clean
    assert note.rule == rule
    assert clean == text.replace(secret, f"[REDACTED:{rule}:{note.fingerprint}]")
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize("text", PLAIN)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_without_presidio_all_that_the_guards_admit_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise ImportError

    monkeypatch.setattr(presidio, "recognizer", missing)
    redactor = Redactor(b"k" * 32, Scanner((*BUILT_IN, *personal(Pii()), *SIGNS)))
    assert [redactor.text(text)[1][0].rule for text, _, _ in FOUND] == [rule for _, _, rule in FOUND]
    assert not [text for text in PLAIN if redactor.text(text)[1]]


def test_no_socket_is_opened_and_no_cache_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("reached for the network")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    redactor = Redactor(b"k" * 32, Scanner((*personal(Pii()),)))
    assert redactor.text("mail to somebody.new@fabrikam.org")[1]


def test_nothing_of_it_is_loaded_before_the_first_candidate() -> None:
    code = (
        "import sys; from mcptap.tap.redact import Redactor; r = Redactor(b'k' * 32)\n"
        "r.value({'text': 'ordinary text, git@github.com, 1131566548 2005, password=hunter2Zq'})\n"
        "assert not {'presidio_analyzer', 'spacy', 'numpy', 'tldextract'} & set(sys.modules)\n"
        "r.text('jane.roe@contoso.com'); assert 'presidio_analyzer' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def of(**settings: Any) -> Redactor:
    return Redactor(b"k" * 32, Scanner((*BUILT_IN, *personal(Pii(**settings)), *SIGNS)))


def test_other_kinds_are_found_when_they_are_asked_for() -> None:
    redactor = of(entities=("IP_ADDRESS", "MAC_ADDRESS", "PHONE_NUMBER", "UK_NHS"))
    clean, notes = redactor.text("from 93.184.216.34 by 00:1b:44:11:3a:b7, call +44 20 7946 0958; not 10.0.0.1")
    assert [note.rule for note in notes] == ["pii-ip-address", "pii-mac-address", "pii-phone-number"]
    assert clean.endswith("not 10.0.0.1")


def test_a_users_patterns_are_a_recognizer() -> None:
    own = Recognizer("EMPLOYEE", ("emp-",), patterns=((r"EMP-\d{6}", 0.9),))
    clean, (note,) = of(recognizers=(own,)).text("badge EMP-123456, not EMP-12")
    assert note.rule == "pii-employee"
    assert clean == f"badge [REDACTED:pii-employee:{note.fingerprint}], not EMP-12"


class Badge:
    """A recognizer of a user's own."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: object) -> list[Any]:
        assert entities == ["BADGE"]
        from presidio_analyzer import RecognizerResult

        at = text.find("badge:")
        return [RecognizerResult("BADGE", at + 6, at + 10, 0.9)] if at >= 0 else []


class Broken:
    """A recognizer that fails."""

    def analyze(self, *_: object) -> list[Any]:
        raise RuntimeError("quotes the text")


def test_a_users_class_is_a_recognizer(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("users_badges")
    module.Badge, module.Broken = Badge, Broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "users_badges", module)
    good = of(recognizers=(Recognizer("BADGE", ("badge",), "users_badges:Badge"),))
    assert good.text("my badge:1234 here")[0].startswith("my badge:[REDACTED:pii-badge:")
    for name in ("users_badges:Broken", "users_badges:Missing", "no_such_module:X"):
        clean, notes = of(recognizers=(Recognizer("BADGE", ("badge",), name),)).text("my badge:1234 here")
        assert clean.startswith("[REDACTED:pii-badge:"), "what cannot be judged is not kept"
        assert len(notes) == 1


def test_a_users_keyword_may_be_of_any_alphabet_and_case() -> None:
    own = Recognizer("PASS", ("Пропуск",), patterns=((r"\d{6}", 0.9),))
    scanner = Scanner(personal(Pii(recognizers=(own,))))
    for _ in ("literals", "hyperscan"):
        for word in ("ПРОПУСК", "пропуск", "Пропуск"):
            assert "123456" not in Redactor(b"k" * 32, scanner).text(f"{word}: 123456")[0]
        assert scanner.build()


def test_a_search_that_takes_too_long_counts_as_found() -> None:
    class Slow:
        def analyze(self, *_: object) -> list[Any]:
            import logging

            logging.getLogger("presidio-analyzer").warning("timed out")
            return []

    assert list(presidio.judge(Slow(), "X", "a window", 0.5)) == [(0, 8)]


@settings(deadline=None)
@given(
    st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,8}[A-Za-z0-9])?", fullmatch=True),
    st.lists(st.from_regex(r"[A-Za-z0-9]{1,6}", fullmatch=True), min_size=1, max_size=3),
    st.sampled_from(["com", "ORG", "net", "de", "co.uk", "internal"]),
)
def test_presidio_says_the_same_of_an_address_and_of_what_is_judged_in_its_place(
    name: str, labels: list[str], top: str
) -> None:
    email = ENTITIES["EMAIL_ADDRESS"]
    address = f"{name}@{'.'.join(labels)}.{top}"
    verdicts = [
        [
            end - start == len(text)
            for start, end in presidio.judge(presidio.recognizer(email.class_name), email.name, f" {text} ", 0.5)
        ]
        for text in (address, email.alike(address))
    ]
    assert verdicts[0] == verdicts[1]
    assert email.alike(address) == (f"a@a.{top}" if top in ("com", "ORG", "net") else address)

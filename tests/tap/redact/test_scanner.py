"""Both engines let the rules find the same, and a built database is only used where it fits."""

import random
import re

import hyperscan
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor, scan
from mcptap.tap.redact import scanner as scanner_module
from mcptap.tap.redact.example import build
from mcptap.tap.redact.pii import personal
from mcptap.tap.redact.rule import Sign, Text, widened
from mcptap.tap.redact.scan import BUILT_IN, SIGNS, Span, find, fired
from mcptap.tap.redact.scanner import BLOCK, COMMON, Literals, Scanner
from mcptap.tap.redact.settings import Pii, Recognizer
from mcptap.tap.redact.table import families, users_rule

RULES = (*BUILT_IN, *personal(Pii()), *SIGNS)
EXAMPLES = [build(rule.example) for rules in families().values() for rule in rules]
PIECES = [
    *EXAMPLES,
    *("password=hunter2Zq", '"api_key": "Zq8xV3kLm2"', "--token Zq8xV3kLm2", "Cookie: a=b", "%70assword%3DZq8xV3kLm2"),
    *("cGFzc3dvcmQ9aHVudGVyMnpxOA==", "\x1b[1mpassword\x1b[0m=hunter2Zq", "jane@contoso.com", "4111 1111 1111 1111"),
    *("~jane.o'neil+x@mail.contoso.co", "<a@b@c.de>", "jürgen@köln.de", "5105 1051 0510 5100", "3782 822463 10005"),
    *("&#112;assword&#x3D;hunter2Zq", r"\u{70}assword\x3dhunter2Zq", r"\\\\u0070assword=hunter2Zq", "wandb key"),
    *("/c2VjcmV0PWh1bnRlcjJacTg5", "70617373776f72643d68756e746572325a71", "q7W2e9R4t6Y1u8I3o5P0", ";", "/"),
    *("plain words", "é ü \u2028", "\n", "kind: Secret\ndata:\n  a: b\n", "-----END RSA PRIVATE KEY-----", "ghp_"),
]


class Memory:
    """A cache in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def store(self, name: str, data: bytes) -> None:
        self.kept[name] = data


CACHE = Memory()


@pytest.fixture(scope="module")
def engines() -> tuple[Scanner, Scanner]:
    """The same rules with literals, and with Hyperscan."""
    literals, hyperscan = Scanner(RULES), Scanner(RULES)
    assert hyperscan.build(CACHE)
    assert (literals.engine, hyperscan.engine) == ("literals", "hyperscan")
    return literals, hyperscan


def found(scanner: Scanner, text: str) -> list[Span]:
    searched = Text(text)
    return find(scanner, searched, fired(scanner, searched))


def test_what_is_found_in_every_example_does_not_depend_on_the_engine(engines: tuple[Scanner, Scanner]) -> None:
    literals, hyperscan = engines
    assert not [text for text in PIECES if found(literals, text) != found(hyperscan, text)]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=6), st.sampled_from(["", " ", "\n", '"', "\0"]))
def test_what_is_found_in_any_text_does_not_depend_on_the_engine(parts: list[str], between: str) -> None:
    literals, hyperscan = Scanner(RULES), Scanner(RULES)
    assert hyperscan.load(CACHE) or hyperscan.build(CACHE)
    text = between.join(parts)
    assert found(literals, text) == found(hyperscan, text)


@pytest.mark.parametrize(
    "text",
    [
        "password\u00a0: Qx7z9w2mLk4p",
        "token\u3000= Qx7z9w2mLk4",
        "passwort_für_db=Qx7z9w2mLk4",
        "passw\u2028: Qx7z9w2mLk4p",
        "token\x1c=\x85Qx7z9w2mLk4p",
        "authorization secret " + "x" * 40 + "\\n",
        'token \u017ftring = "aK3dG9xQ2mZ7pL5w"',
        "INSERT INTO größe (name, password) VALUES ('a', 'LAYVbk8Kf3s1xx3z')",
        "INSERT INTO users (name, password) VALUE\u017f ('a', 'LAYVbk8Kf3s1xx3z')",
        "zendes\u212ak: aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eFaB3dE6gH",
        "brows\u0660erstack: aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eFaB3dE6gH",
    ],
)
def test_blanks_and_letters_of_other_alphabets_do_not_hide_a_value(engines: tuple[Scanner, Scanner], text: str) -> None:
    literals, hyperscan = engines
    spans = {rule for rule in hyperscan.rules if any(rule.spans(Text(text)))}
    assert spans <= set(hyperscan.fired(text))
    assert found(literals, text) == found(hyperscan, text)
    assert ("quoted" in {rule.id for rule in hyperscan.fired(text)}) == text.endswith("\\n")


def test_a_trigger_that_matches_a_letter_of_another_alphabet_matches_what_hyperscan_sees_for_it() -> None:
    for rule in RULES:
        for trigger in rule.triggers:
            assert trigger.isascii(), rule.id
            for signs in re.findall(r"\[\^(?:\\.|[^\]\\])+\]", trigger):
                assert re.match(signs, "\x7f", re.ASCII), (rule.id, signs)
            assert not re.search(r"\\(?:x[89a-fA-F]|u)", trigger.replace("\\\\", "")), rule.id


@pytest.mark.parametrize(
    ("pattern", "keywords", "secret"),
    [
        ("größe-[0-9]{4}", ["größe"], "größe-1234"),
        ("x-[äöü]{3}-[0-9]{4}", ["x-"], "x-äöü-1234"),
        ("k-[^ä]{3}-[0-9]{4}", ["k-"], "k-ööé-1234"),
        (r"k-\u00e4-[0-9]{4}", ["k-"], "k-ä-1234"),
        (r"k-\xe4-[0-9]{4}", ["k-"], "k-ä-1234"),
        (r"k-[^\x00-\x7f]{2}-[0-9]{4}", ["k-"], "k-ä日-1234"),
        (r"k-[^ -~\x7F]{2}-[0-9]{4}", ["k-"], "k-ä日-1234"),
        ("k-[^\x7f]{2}-[0-9]{4}", ["k-"], "k-ä日-1234"),
        (r"k-[^x]{2}-[0-9]{4}", ["k-"], "k-日\N{FACE WITH TEARS OF JOY}-1234"),
        (r"k-.\W\S-[0-9]{4}", ["k-"], "k-\ud800é日-1234"),
    ],
)
def test_a_users_rule_may_have_characters_of_any_alphabet(pattern: str, keywords: list[str], secret: str) -> None:
    rule = users_rule("own", {"pattern": pattern, "keywords": keywords, "title": "Own"})
    literals, hyperscan = Scanner((rule,)), Scanner((rule,))
    assert hyperscan.build()
    for text in (secret, f"é{secret}", f"日本 {secret}!"):
        (span,) = found(hyperscan, text)
        assert text[span.start : span.end] == secret
        assert found(literals, text) == [span]
    assert not found(hyperscan, secret.upper())


@pytest.mark.parametrize("keyword", ["Patient", "Prüfnummer", "ЖЮЦЯ", "\u212aühler"])
def test_a_users_recognizer_may_have_keywords_of_any_alphabet(keyword: str) -> None:
    own = personal(Pii(entities=(), recognizers=(Recognizer("OWN", (keyword,), patterns=((r"\d{4}", 0.9),)),)))
    literals, hyperscan = Scanner(own), Scanner(own)
    assert hyperscan.build()
    for scanner in (literals, hyperscan):
        for text in (f"{keyword} 1234", f"é{keyword.lower()}: 1234", f"{keyword.upper()}\u3000=1234"):
            (span,) = found(scanner, text)
            assert text[span.start : span.end] == "1234"
        assert not found(scanner, "nothing 1234")


def test_what_is_found_in_cut_examples_does_not_depend_on_the_engine(engines: tuple[Scanner, Scanner]) -> None:
    literals, hyperscan = engines
    chance = random.Random(1)
    cut = [example[chance.randrange(4) : len(example) - chance.randrange(6)] for example in EXAMPLES]
    assert not [text for text in cut if found(literals, text) != found(hyperscan, text)]


def test_a_trigger_has_no_counts_that_would_take_long_to_build() -> None:
    for rule in (rule for rules in families().values() for rule in rules):
        assert rule.trigger or all(widened(trigger) == trigger for trigger in rule.triggers), rule.id
        counts = [int(count) for trigger in rule.triggers for count in re.findall(r"[{,](\d+)[,}]", trigger)]
        assert all(count <= 64 for count in counts), rule.id


def test_a_kept_database_is_used_and_one_of_other_rules_is_not() -> None:
    first = Scanner(RULES[-30:])
    cache = Memory()
    assert not first.load(cache)
    assert first.build(cache)
    again, other = Scanner(RULES[-30:]), Scanner(RULES[-29:])
    assert again.load(cache)
    assert (again.engine, again.is_pressed, again.in_use) == ("hyperscan", False, True)
    assert not other.load(cache)
    assert other.engine == "literals"


def test_a_damaged_database_is_not_used() -> None:
    scanner = Scanner(RULES[-30:])
    cache = Memory()
    cache.kept[scanner.name] = b"no database"
    assert not scanner.load(cache)
    assert scanner.engine == "literals"


def test_without_the_package_the_literals_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "hyperscan", None)
    scanner = Scanner(RULES)
    assert not scanner.build()
    assert not scanner.load(CACHE)
    assert scanner.engine == "literals"
    assert Redactor(b"k" * 32, scanner).text("password=hunter2Zq")[1]


def test_much_text_is_worth_building_the_database_and_keeping_it() -> None:
    scanner, cache = Scanner(RULES[-30:]), Memory()
    assert not scanner.load(cache)
    scanner.fired("x" * 40_000)
    assert not scanner.in_use
    scanner.fired("x" * 200_000)
    assert (scanner.in_use, scanner.is_pressed) == (True, False)
    scanner.fired("x" * 759_000)
    assert scanner.is_pressed
    assert (scanner.engine, scanner.in_use) == ("literals", True)
    scanner.fired("x" * 2_000)
    assert scanner.engine == "hyperscan"
    assert Scanner(RULES[-30:]).load(cache)


def test_a_rule_that_hyperscan_refuses_leaves_the_literals_at_work() -> None:
    scanner = Scanner([Sign("refused", ("x",), ("(?<=x",))])
    assert not scanner.build()
    assert (scanner.engine, scanner.fired("x" * 2_000_000)[0].id) == ("literals", "refused")


def test_while_the_database_is_built_nobody_else_builds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner(RULES[-30:])
    begun: list[str] = []

    class Database(hyperscan.Database):  # type: ignore[misc]
        def compile(self, **rows: object) -> None:
            begun.append(scanner.engine)
            if len(begun) == 1:
                scanner.fired("x" * 2_000_000)
            super().compile(**rows)

    monkeypatch.setattr(hyperscan, "Database", Database)
    assert scanner.build()
    assert (begun, scanner.engine) == (["literals"], "hyperscan")


def test_a_long_text_is_looked_at_whole(engines: tuple[Scanner, Scanner]) -> None:
    _, hyperscan = engines
    secret = "curl " + "-H 'X: y' " * 100 + "-u admin:Zq8xV3kL https://x"
    for border in (0, BLOCK - COMMON, BLOCK, 2 * (BLOCK - COMMON), 3 * BLOCK):
        for before in range(max(0, border - len(secret)), border + 1, 211):
            text = "." * (before - 1) + " " * (before > 0) + secret
            assert "curl-user" in {rule.id for rule in hyperscan.fired(text + "\n" + "." * 70_000)}
            assert "curl-user" in {rule.id for rule in hyperscan.fired(text)}


def test_no_block_is_longer_than_hyperscan_takes_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner(RULES[-30:])
    scanner.build()
    lengths: list[int] = []

    class Database:
        def scan(self, data: bytes, *_: object, **__: object) -> None:
            lengths.append(len(data))

    monkeypatch.setattr(scanner._engine, "_database", Database())  # type: ignore[attr-defined]
    monkeypatch.setattr(scanner._engine, "_scratches", [None])  # type: ignore[attr-defined]
    scanner.fired("x" * 1_000_000)
    assert max(lengths) == BLOCK + 1
    assert sum(lengths) < 1_000_000 * BLOCK / (BLOCK - COMMON) + BLOCK


FILLER = "the word of the line\n" * 450
SPREAD = st.lists(
    st.tuples(st.sampled_from(PIECES), st.sampled_from([" ", "\n", '"', "\0", "é"]), st.integers(0, 9_000))
)


@settings(deadline=None)
@given(SPREAD)
def test_a_long_text_is_searched_in_parts_as_it_would_be_whole(spread: list[tuple[str, str, int]]) -> None:
    hyperscan = Scanner(RULES)
    assert hyperscan.load(CACHE) or hyperscan.build(CACHE)
    text = "".join(f"{piece}{between}{FILLER[:apart]}" for piece, between, apart in spread)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "LONG", len(text))
        whole = found(hyperscan, text)
        patch.setattr(scan, "LONG", 0)
        patch.setattr(scanner_module, "BLOCK", 12_000)
        patch.setattr(scanner_module, "COMMON", 4_000)
        assert found(hyperscan, text) == whole


def test_a_rule_only_searches_the_parts_of_a_long_text_in_which_it_fired(engines: tuple[Scanner, Scanner]) -> None:
    _, hyperscan = engines
    step, far = BLOCK - COMMON, " " * (10 * BLOCK)
    text = f"{far}password=hunter2Zq {far}password=hunter2Zq"
    where = {rule.id: parts for rule, parts in hyperscan.where(text).items()}
    first, last = where["assignment"]
    assert first[0] <= len(far) < first[1] <= first[0] + step + 2 * COMMON + BLOCK
    assert last[0] > first[1] + BLOCK
    assert last[1] == len(text)
    literals = Literals(RULES)
    assert literals.where("password=hunter2Zq") == {rule: [(0, 18)] for rule in literals.fired("password=hunter2Zq")}


def test_what_begins_in_a_part_is_found_whole_and_what_begins_behind_it_is_not() -> None:
    text = Text("ab1" + "1" * 100_000 + "-ab2-" + " " * 100_000 + "ab3-")
    text.parts = [(0, 10), (100_010, 200_000)]
    numbers = re.compile("ab[0-9]+")
    assert [match.span() for match in text.matches(numbers)] == [(0, 100_003)]
    text.parts = [(0, 10), (100_004, 100_005), (200_000, len(text.text))]
    assert [len(match[0]) for match in text.matches(numbers)] == [100_003, 3, 3]

"""What was judged in the same surroundings is not judged again, and nothing else is found for it."""

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.redact.assignment import ASSIGNMENTS, _reach, _value
from mcptap.tap.redact.repeated import AFTER, BEFORE, Repeated
from mcptap.tap.redact.rule import Text

PIECES = (
    "password: ", "password=", "token: x1y2z3 ", 'secret="', "api_key='a1b2c3d4' ", "return token\n", "x = token;\n",
    "password=${", "password=\\\"", "Cookie: a=b; ", "<a:token>x1y2</a:token>", "password={a: 1",
    "password: |\n  x1y2\n", "Cookie: ", "Authorization: Bearer ", "token==", "token == 'x1y2'",
    "Authorization: x1y2 ", "password=${", "token=$(", "word " * 60, "\n", "\\" * 80, "y" * 700, "a1b2c3 ",
)  # fmt: skip


def judged_one_by_one(text: str) -> list[tuple[int, int]]:
    spans, done = [], 0
    at = text.find("token")
    while at >= 0:
        span = _value(text, at, at + 5) if at >= done else None
        if span:
            spans.append(span)
            done = span[1]
        at = text.find("token", at + 1)
    return spans


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.integers(60, 140), st.sampled_from(PIECES))
def test_a_text_that_repeats_itself_is_judged_as_if_each_place_were_the_first(
    parts: Sequence[str], times: int, other: str
) -> None:
    text = "".join(parts) * times + other + "".join(parts) * 70
    repeated = Repeated(text, _value, _reach)
    places = [at for at in range(len(text)) if text.startswith(("token", "passw"), at)][:600]
    assert [repeated.judged(at, at + 5) for at in places] == [_value(text, at, at + 5) for at in places]


def test_what_stands_around_a_place_is_judged_once() -> None:
    asked: list[int] = []

    def judge(_: str, start: int, end: int) -> tuple[int, int] | None:
        asked.append(start)
        return end, end + 1

    text = "token=x1 " * 4_000
    repeated = Repeated(text, judge, lambda _, end, __: end + 10)
    places = range(0, len(text), 9)
    assert [repeated.judged(at, at + 5) for at in places] == [(at + 5, at + 6) for at in places]
    assert len(asked) < len(places) - 3_500


def test_a_value_that_goes_far_is_judged_each_time() -> None:
    asked: list[int] = []

    def judge(_: str, start: int, __: int) -> None:
        asked.append(start)

    text = "token=" * 4_000
    repeated = Repeated(text, judge, lambda text, *_: len(text))
    assert {repeated.judged(at, at + 5) for at in range(0, len(text), 6)} == {None}
    assert len(asked) == 4_000


def test_a_text_in_which_nothing_comes_again_is_judged_place_by_place() -> None:
    chance = random.Random(2)
    text = "".join(f"token: {chance.randrange(10**12):x}\n" for _ in range(3_000))
    assert sorted(span for rule in ASSIGNMENTS for span in rule.spans(Text(text))) == judged_one_by_one(text)
    assert len(text) > 10 * (BEFORE + AFTER)

"""A cell below the name of a secret is taken out, in every kind of table; the words of manuals are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.columns import Columns
from mcptap.tap.redact.rule import Text

REDACTOR = Redactor(b"k" * 32)
TABLES = {
    "Markdown": "| user | password | role |\n|------|----------|------|\n| bob | {} | admin |\n| eve | `{}` | user |\n",
    "psql": " id | password \n----+----------\n  1 | {}\n  2 | {}\n(2 rows)\n",
    "mysql": "+----+----------+\n| id | api_key  |\n+----+----------+\n|  1 | {} |\n|  2 | {} |\n+----+\n",
    "CSV": 'id,name,password\n1,"bob, sr",{}\n2,eve,"{}"\n',
    "tabs": "id\tsecret\r\n1\t{}\r\n2\t{}\r\n",
    "semicolons": "user;access_key;x\nbob;{};1\neve;{};2\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_each_cell_below_the_name_is_taken_out_and_nothing_else(table: str) -> None:
    first, second = "Zq8xV3kLm2", "Pw9AaRt5Yn"
    clean, notes = REDACTOR.text(table.format(first, second))
    assert [note.rule for note in notes] == ["column", "column"]
    assert clean == table.format(REDACTOR.placeholder(first, "column")[0], REDACTOR.placeholder(second, "column")[0])


@pytest.mark.parametrize(
    "text",
    [
        "| Option | Token |\n|--------|-------|\n| a | required |\n| b | Optional |\n",
        "token,tag\nThe,DET\nhouse,NOUN\n",
        "Give user, password, token\nor nothing, at all, here\n",
        "| password | Zq8xV3 kLm2 |\n",
        "name,password\nbob\n",
        "id,password\n1,password\n2,\n3,<none>\n",
        "prompt_tokens,completion_tokens\n123456,7891011\n",
    ],
)
def test_what_is_no_cell_of_a_secret_stays(text: str) -> None:
    assert list(Columns().spans(Text(text))) == []


@given(
    st.lists(
        st.sampled_from(["a|password\n", "a,token\n", "x|y\n", "secret\tb\n", "password", '"', "|", "\n"]), max_size=30
    )
)
def test_spans_lie_in_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert all(0 <= start < end <= len(text) for start, end in Columns().spans(Text(text)))


class Counting(Text):
    """Counts what is tried."""

    ticks = 0

    def tick(self) -> None:
        self.ticks += 1


def test_rows_are_read_once_for_each_keyword_however_many_of_them_look_like_headers() -> None:
    text = Counting("a|password\n" * 9_000)
    assert list(Columns().spans(text)) == []
    assert text.ticks <= 2 * 9_000

"""A cell below the name of a secret is taken out, in every kind of table; the words of manuals are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.columns import _NUMBERED, _RANDOM, _WITHOUT_SIGN, Columns
from mcptap.tap.redact.rule import Text
from mcptap.tap.redact.standins import is_published, is_sample, stands_for

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
    first, second = "Zq8xV3kLm2Tr", "Pw9AaRt5Yn4c"
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
        "token,pos,lemma\nCOVID-19,NN,x\n",
        "token\tlogprob\nGPT4all\t-0.1\n",
        "file,line,token\nsrc/a.py,12,IDENT1\n",
        "Type,Token\nKeyword,int32_t\n",
        "| Token | Meaning |\n|---|---|\n| md5sum | a hash |\n| utf8mb4 | a character set |\n",
        "| Design token | Value |\n|---|---|\n| spacing-4x | 16px |\n",
        "token,price\nwBTC2x,3\n",
        "name,secret,namespace\nweb,web-tls-2,default\n",
        "| Secret | Description |\n|---|---|\n| DEPLOY_KEY_V2 | a key |\n| AWS_S3_BUCKET | a name |\n",
        "password,strength\nis_required,high\n",
        "id,token,password\n1,2YotnFZFEjr1zCsicMWpAA,2YotnFZFEjr1zCsicMWpAA\n2,0x12ab34cd56ef78,a1b2c3xxxxxxxx\n",
        "user,password\na,placeholder12\nb,abcxxxxx12\nc,password1\n",
        "en,password\nde,Passwort\nfr,motdepasse\nes,contraseña\n",
        "key,en,password\nlogin.title,Login,Kennwort\n",
    ],
)
def test_what_is_no_cell_of_a_secret_stays(text: str) -> None:
    assert list(Columns().spans(Text(text))) == []


@given(st.from_regex(r"[a-z]{4,12}[0-9]{2,6}", fullmatch=True) | st.from_regex(_WITHOUT_SIGN, fullmatch=True))
def test_what_is_judged_at_a_glance_is_judged_alike_without(value: str) -> None:
    if _NUMBERED.fullmatch(value) or (_RANDOM.search(value) and not is_published(value)):
        assert not stands_for(value)
        assert not is_sample(value, password=True)


@given(
    st.lists(
        st.sampled_from(["a|password\n", "a,token\n", "x|y\n", "secret\tb\n", "password", '"', "|", "\n"]), max_size=30
    )
)
def test_spans_lie_in_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert all(0 <= start < end <= len(text) for start, end in Columns().spans(Text(text)))


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("user,password\nbob,letmein\n", ["letmein"]),
        ("e-mail;password\na@b.test;letmein\n", ["letmein"]),
        ("id,password\n1,hunter2\n", ["hunter2"]),
        ("id,password\n1,XCtunBEeyWqY\n", ["XCtunBEeyWqY"]),
        ("id,password\n1,p$ss!w^rd\n", ["p$ss!w^rd"]),
        ("id,token\n1,Zq8xV3kLm2Tr\nname,password\nbob,hunter2\n", ["Zq8xV3kLm2Tr", "hunter2"]),
        ("user,password\ntoken,hunter2\ntoken,\nbob,hunter3\n", ["hunter2", "hunter3"]),
        ("token,password\nZq8xV3kLm2Tr,hunter2\n", ["Zq8xV3kLm2Tr", "hunter2"]),
        ('id,password,"a ""b"\n1,hunter2,x\n', []),
    ],
)
def test_each_cell_is_taken_out_once_and_in_the_order_of_the_text(text: str, secrets: list[str]) -> None:
    assert [text[start:end] for start, end in Columns().spans(Text(text))] == secrets


def test_a_table_is_read_to_its_end() -> None:
    assert len(list(Columns().spans(Text("user,password\n" + "bob,hunter2\n" * 12_000)))) == 12_000


class Counting(Text):
    """Counts what is tried."""

    ticks = 0

    def tick(self) -> None:
        self.ticks += 1


def test_rows_are_read_once_however_many_of_them_look_like_headers() -> None:
    text = Counting("token|password\n" * 9_000)
    assert list(Columns().spans(text)) == []
    assert text.ticks <= 9_000


def test_rows_are_read_once_however_many_names_of_secrets_stand_above_them() -> None:
    text = Counting("user,password,secret,token,api_key,access_key,pwd\n" + "bob,a,b,c,d,e,f\n" * 1_000)
    assert list(Columns().spans(text)) == []
    assert text.ticks <= 1_001

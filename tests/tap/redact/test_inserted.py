"""What an SQL statement puts into a column of secrets is taken out; its other columns stay."""

from __future__ import annotations

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    ("statement", "secrets", "kept"),
    [
        ("INSERT INTO users (name, password) VALUES ('bob', 'hunter2Zq');", ["hunter2Zq"], ["'bob'"]),
        (
            "insert into `app`.`users` (`id`, `pwd`, `mail`) values (1, 'it''s-Kd82', 'x')",
            ["it''s-Kd82"],
            ["1,", "'x'"],
        ),
        (
            "INSERT INTO t (api_key, note) VALUES\n ('Zq8xV3kLm2Pq', 'a, b'),\n ('Yw7xV3kLm2Pq', f(1, 2));",
            ["Zq8xV3kLm2Pq", "Yw7xV3kLm2Pq"],
            ["'a, b'", "f(1, 2)"],
        ),
        ("INSERT INTO users AS u (id, password) VALUES (7, 'hT7xq9Lw2Zp')", ["hT7xq9Lw2Zp"], ["7"]),
        ("INSERT INTO t (id, pwd) OVERRIDING SYSTEM VALUE VALUES (7, 'hT7xq9Lw2Zp')", ["hT7xq9Lw2Zp"], ["7"]),
        (
            "INSERT INTO t (id, pwd) OUTPUT inserted.id VALUES (7, 0x68543778713977325a70)",
            ["68543778713977325a70"],
            ["7"],
        ),
        ("REPLACE INTO t (user, secret) VALUES (upper('bob'), 'correct horse')", ["correct horse"], ["upper('bob')"]),
    ],
)
def test_literals_below_a_secrets_name_are_taken(statement: str, secrets: list[str], kept: list[str]) -> None:
    clean, notes = REDACTOR.text(statement)
    assert not any(secret in clean for secret in secrets)
    assert all(other in clean for other in kept)
    assert len(notes) == len(secrets)
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO users (name, password) VALUES (?, ?)",
        "INSERT INTO users (name, password) VALUES (%s, %(password)s)",
        "INSERT INTO users (name, password) VALUES ('bob', '<password>')",
        "INSERT INTO users (name, age) VALUES ('bob', '42')",
        "INSERT INTO users (name, password) SELECT name, hash FROM old",
        "INSERT INTO users (password) VALUES (",
    ],
)
def test_parameters_and_other_columns_stay(statement: str) -> None:
    assert REDACTOR.text(statement) == (statement, ())


def test_many_rows_are_all_seen() -> None:
    rows = ",\n".join(f"({n}, 'Kd{n}xZ9qLm')" for n in range(3000))
    clean, notes = REDACTOR.text(f"INSERT INTO users (id, password) VALUES {rows};")
    assert len(notes) == 3000
    assert "xZ9qLm" not in clean


@pytest.mark.parametrize(
    "text",
    [
        '<password type="x"><![CDATA[hT7xq9Lw2Zp]]></password>',
        '<wsse:Password Type="a">hT7x[q9]Lw2Zp</wsse:Password>',
        "<name>fs.s3a.secret.key</name> <value>hT7xq9Lw2Zp</value>",
        '<property name="a.access.key">hT7xq9Lw2Zp</property>',
    ],
)
def test_elements_that_stand_for_columns_are_read_too(text: str) -> None:
    clean, (note,) = REDACTOR.text(text)
    assert "Lw2Zp" not in clean
    assert note.rule in ("element-secret", "property-secret", "named-element-secret")

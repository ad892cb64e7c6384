"""A setting near a program is a setting; only what a program spells, uses again or states is a name."""

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.program import is_named, is_program

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    "weak", ["letmein42", "sunshine", "Tr0ub4dor", "blue_falcon_river", "RiverBlueTiger", "qwzrtpkl"]
)
@pytest.mark.parametrize(
    "text",
    [
        '#!/bin/bash\nif [ -z "$X" ]; then\n  export DB_PASSWORD={}\nfi\nfor i in 1 2; do\n',
        "setup() {{\n  DB_PASSWORD={}\n  run \\\n    --fast\n}}\n",
        "setup() {{\n  local password={}\n  run;\n}}\n",
        "for i in 1 2; do DB_PASSWORD={} ./run.sh; done\n",
        "docker run -d \\\n  -e DB_PASSWORD={} \\\n  postgres\n",
        "tool --api-key={} \\\n  --x y\n",
        "me@host:~$ export DB_PASSWORD={}\nme@host:~$ cat <<EOF > x {{\n",
        "import:\n  password: {}\nexport: a\n",
        "global:\n  password: {}\n",
        "rules:\n  run: if (x) {{\n  password: {}\n  cmd: foo();\n",
        "# settings (see docs)\npassword: {}\n# and more (here)\n",
        "; settings;\n[db]\nhost = x;\npassword = {}\n",
        "mail {{\n  user: x\n  password: {}\n}}\n",
        "db {{\n  host = x\n  password = {}\n}}\n",
        "mail {{\n  user=x;\n  password={};\n}}\n",
        "Driver={{x}};Server=y;Uid=u;Pwd={};\n",
        "import os\nDB_PASSWORD = {}\nreturn x\n",
        "def f():\n    # password = {}\n    return 1\n",
        'def f():\n    """Logs in.\n\n    password: {}\n    """\n    return 1\n',
        "Access (staging):\n  Username: bob\n  Password: {}\n",
        "* user: bob\n* password: {}\n* url: x\n",
        "```js\nfoo();\n```\n```yaml\n  password: {}\n```\n",
        "1. Create the file (in the root)\n\n    DB_PASSWORD={}\n",
        "@@ -1,2 +1,2 @@ def foo():\n context:\n+  password: {}\n",
        "[Service]\nEnvironment=DB_PASSWORD={}\nExecStart=/bin/x \\\n",
        "include x.mk\nDB_PASSWORD := {}\nall:\n\tfoo $(X);\n",
    ],
)
def test_a_setting_near_a_program_is_no_name(text: str, weak: str) -> None:
    assert weak not in REDACTOR.text(text.format(weak))[0]


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ("def f():\n    token = ", "Name.Function", "\n    return token\n"),
        ("def f(given):\n    token = ", "given", "\n    return token\n"),
        ("    headers['Authorization'] = ", "auth_header", "\n"),
        ("    self.token = ", "chosen", "\n"),
        ("while (my $token = ", "$parser->get_token", ") {\n"),
    ],
)
def test_what_a_program_spells_or_uses_is_a_name(before: str, name: str, after: str) -> None:
    assert is_named(before + name + after, len(before), len(before) + len(name))


def test_what_two_settings_have_is_not_used_by_a_program() -> None:
    text = "db {\n  password = sunshine\n  secret = sunshine\n}\n"
    assert "sunshine" not in REDACTOR.text(text)[0]


@pytest.mark.parametrize("line", ["run;", "if x {", "run(", "x =>", "x ->", "run()", "run(x):", "run(x),", "a[f(x)]):"])
def test_a_line_that_ends_as_a_statement_is_one(line: str) -> None:
    assert is_program(f"a\n{line}\nb", 2, 3)


@pytest.mark.parametrize("line", ["run", "a (x)", "run(a b)", "(x)", "a: b", "run() now", "a)", "5 > 4", "x,"])
def test_a_line_that_ends_otherwise_is_none(line: str) -> None:
    assert not is_program(f"a\n{line}\nb", 2, 3)

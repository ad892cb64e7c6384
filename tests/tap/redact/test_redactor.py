"""No secret of any rule comes through, wherever it stands; what is no secret stays as it is."""

import base64
import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcptap.tap.records import RunStarted
from mcptap.tap.redact import Redactor, UnscannableError, redact_started
from mcptap.tap.redact import redactor as module
from mcptap.tap.redact.example import build
from mcptap.tap.redact.rule import Text
from mcptap.tap.redact.scan import together
from mcptap.tap.redact.table import families

REDACTOR = Redactor(b"k" * 32)
HIDDEN = "Zq8xV3kLm2" + "Pw7tR5"
RULES = [rule for rules in families().values() for rule in rules]
PLAIN = st.text(st.characters(codec="utf-8"), max_size=12)
SEEDS = [
    *("password=", "token: ", '"secret": "', "://a:b@", "-----BEGIN ", "[REDACTED:", "{"),
    *("--token ", "password\x1b[0m=", "Cookie: \x1b[1m"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=8,
)


def secret_of(rule: Any) -> tuple[str, str]:
    example = build(rule.example)
    start, end = next(iter(rule.spans(Text(example))))
    return example, example[start:end]


EXAMPLES = [secret_of(rule) for rule in RULES]


@st.composite
def planted(draw: st.DrawFn) -> tuple[Any, str]:
    """A JSON value with a secret somewhere: in a string, in a key, in JSON within a string."""
    example, secret = draw(st.sampled_from(EXAMPLES))
    value: Any = draw(PLAIN) + draw(st.sampled_from(["", " ", "\n", '"', "=", "\\n", "é"])) + example
    if value[: -len(example)][-1:].isalnum() and value[: -len(example)][-1:].isascii():
        value = value[: -len(example)] + " " + example
    value += draw(st.sampled_from(["", " ", "\n", '"', ","]) | PLAIN.map(lambda text: " " + text))
    for wrap in draw(st.lists(st.sampled_from(["list", "member", "key", "json", "indented"]), max_size=5)):
        if wrap == "list":
            value = [draw(JSON), value, draw(JSON)]
        elif wrap == "member":
            value = {**draw(st.dictionaries(PLAIN, JSON, max_size=2)), draw(PLAIN): value}
        elif wrap == "key" and isinstance(value, str):
            value = {value: draw(JSON)}
        elif wrap == "json" and not isinstance(value, str):
            value = json.dumps(value)
        elif wrap == "indented" and not isinstance(value, str):
            value = json.dumps(value, indent=2, ensure_ascii=False)
    return value, secret


@settings(deadline=None)
@given(planted())
def test_a_planted_secret_never_comes_through(case: tuple[Any, str]) -> None:
    value, secret = case
    clean, redactions = REDACTOR.value(value)
    written = orjson.dumps([clean, [note.pointer for note in redactions]]).decode()
    core = max(re.split(r"[\\\n\"]", secret), key=len)  # escapes may stand between its parts
    assert core not in written
    assert redactions


@settings(deadline=None)
@given(planted() | JSON.map(lambda value: (value, "")))
def test_redacting_twice_changes_nothing(case: tuple[Any, str]) -> None:
    once, _ = REDACTOR.value(case[0])
    assert REDACTOR.value(once) == (once, ())


@settings(deadline=None)
@given(st.text(), st.sampled_from(SEEDS))
@example("-", "password\x1b[0m=")
def test_any_text_is_redacted_without_error_and_only_once(text: str, seed: str) -> None:
    once, _ = REDACTOR.text(seed.join((text, text, "")))
    assert REDACTOR.text(once) == (once, ())


@pytest.mark.parametrize(
    "text",
    ["[auth_token=Kd82jQ9xLm2Pw4Z]", "PGPASSWORD%3DKd82jQ9xLm,\nx", 'log: "class A:\\n  API_KEY=Kd82jQ9xLm!\\n" end'],
)
def test_what_closes_behind_a_secret_is_left_alone_the_second_time(text: str) -> None:
    once, _ = REDACTOR.text(text)
    assert once != text
    assert REDACTOR.text(once) == (once, ())


@pytest.mark.parametrize("behind", ["Kd82jQ9xLm", "]Kd82jQ9", ",x1"])
def test_a_placeholder_that_somebody_writes_hides_nothing_behind_it(behind: str) -> None:
    assert behind not in REDACTOR.text(f"[API_KEY=[REDACTED:assignment:0a1b2c3d]{behind}]")[0]


@pytest.mark.parametrize("value", ["s3cr3t", 1234, 1.5, ["a", "b"], {"user": "a", "pin": 1}])
def test_the_whole_value_under_a_secret_key_is_taken_out(value: Any) -> None:
    clean, (note,) = REDACTOR.value({"a": [{"password": value}]})
    assert re.fullmatch(r"\[REDACTED:key-name:[0-9a-f]{8}\]", clean["a"][0]["password"])
    assert note.pointer == "/a/0/password"


@pytest.mark.parametrize(
    "value",
    [
        {"password": None, "token": "", "secret": True, "credentials": {}},
        {"max_tokens": 5, "progressToken": "abc", "nextCursor": "x", "tokens_estimate": 9, "author": "jane"},
        {"properties": {"password": {"type": "string", "description": "Your password", "minLength": 8}}},
        {"token": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None, "title": "Token"}},
        {"name": "password", "description": "the password", "required": True},
        {"pass": 12, "fail": 3, "auth": {"type": "none"}},
        {"sha": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "id": "123e4567-e89b-12d3-a456-426614174000"},
    ],
)
def test_what_is_no_secret_is_left_alone(value: Any) -> None:
    assert REDACTOR.value(value) == (value, ())


def test_a_default_in_the_schema_of_a_secret_is_taken_out() -> None:
    clean, (note,) = REDACTOR.value({"properties": {"password": {"type": "string", "default": "hunter2"}}})
    assert clean["properties"]["password"]["type"] == "string"
    assert note.pointer == "/properties/password/default"


def test_a_key_in_which_something_was_taken_out_still_names_its_value() -> None:
    clean, _ = REDACTOR.value({"token [REDACTED:x:deadbeef]": "Qx7z9w2mLk4p", "b": "mail jane@contoso.com"})
    assert "Qx7z" not in str(clean)


def test_a_value_beside_a_secret_name_is_taken_out() -> None:
    clean, _ = REDACTOR.value({"env": [{"name": "API_KEY", "value": "hunter2"}, {"name": "HOME", "value": "/root"}]})
    assert "hunter2" not in str(clean)
    assert clean["env"][1]["value"] == "/root"


def test_request_state_is_always_replaced_and_stays_equal() -> None:
    one, two = (REDACTOR.value({"requestState": "opaque", "x": x})[0]["requestState"] for x in (1, 2))
    assert one == two
    assert one.startswith("[REDACTED:request-state:")


def test_json_in_a_string_is_opened_by_its_keys() -> None:
    inner = json.dumps({"deep": json.dumps({"password": "hunter2"}), "x": 1}, indent=2)
    clean, (note,) = REDACTOR.value({"a/b": inner})
    assert "hunter2" not in clean["a/b"]
    assert json.loads(clean["a/b"])["x"] == 1
    assert note.pointer == "/a~1b"


def test_json_in_a_string_that_holds_no_secret_is_not_rewritten() -> None:
    text = '{"n": 1.0,   "n": 2}'
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize("harmless", ['{"PrivateKey":[]}', '{"token":{"type":"string","title":"Token"}}'])
def test_json_in_a_string_is_judged_by_its_keys_the_second_time_too(harmless: str) -> None:
    once, _ = REDACTOR.text(f'[{{"password":"hunter2"}},{harmless}]')
    assert harmless in once
    assert REDACTOR.text(once) == (once, ())


def test_a_secret_in_a_member_that_comes_twice_is_taken_out() -> None:
    assert "hunter2" not in REDACTOR.text('{"password":"hunter2","password":null}')[0]


def test_the_same_secret_has_the_same_fingerprint_everywhere_and_another_under_another_key() -> None:
    secret = "s3cr3t" + "value"
    (one,), (two,) = REDACTOR.value({"password": secret})[1], REDACTOR.text(f"password={secret}")[1]
    (three,) = Redactor(b"other").value({"password": secret})[1]
    assert one.fingerprint == two.fingerprint != three.fingerprint
    assert one.length == len(secret)


@pytest.mark.parametrize(
    ("argv", "hidden"),
    [
        (["srv", "--api-key", "hunter2"], 2),
        (["srv", "--api-key=hunter2"], 1),
        (["srv", "API_KEY=hunter2"], 1),
        (["docker", "run", "-e", "API_KEY=hunter2", "img"], 3),
        (["srv", "https://u:hunter2@example.com/x"], 1),
        (["curl", "-H", "Authorization: Bearer hunter2", "u"], 2),
        (["curl", "-H", "X-Api-Key: hunter2"], 2),
        (["curl", "-u", "me:hunter2"], 2),
        (["sh", "-c", "PASSWORD=hunter2 exec srv"], 2),
        (["srv", '--config={"password":"hunter2"}'], 1),
        (["srv", "--config", '{"password":"hunter2"}'], 2),
        (["srv", "xoxb-" + "123456789012-hunter2"], 1),
        (["/usr/bin/mysql", "-uroot", "-phunter2", "db"], 2),
        (["sh", "-c", "mysqldump -uroot -phunter2 db"], 2),
        (["sshpass", "-p", "hunter2", "ssh", "-p", "22", "h"], 2),
        (["redis-cli", "-a", "hunter2"], 2),
    ],
)
def test_a_command_line_hides_its_secrets_and_nothing_else(argv: list[str], hidden: int) -> None:
    clean, redactions = REDACTOR.argv(argv)
    assert "hunter2" not in " ".join(clean)
    assert [index for index, (old, new) in enumerate(zip(argv, clean, strict=True)) if old != new] == [hidden]
    assert [note.pointer for note in redactions] == [f"/{hidden}"]


@pytest.mark.parametrize(
    "argv",
    [
        ["docker", "run", "-p3306:3306", "mysql"],
        ["ssh", "-p", "22", "host"],
        ["mysql", "-u", "root", "-p", "main"],
        ["psql", "-p", "5432"],
        ["env", "PWD=/home/me", "OLDPWD=/", "srv"],
    ],
)
def test_a_command_line_without_secrets_stays(argv: list[str]) -> None:
    assert REDACTOR.argv(argv) == (tuple(argv), ())


@pytest.mark.parametrize("path", ["/", "/home/me", "~", "~/a b", "C:\\Users\\me", "/srv/a-b_c.d+e@1/"])
def test_the_shells_working_directory_is_no_password(path: str) -> None:
    assert REDACTOR.value({"PWD": path, "pwd": path}) == ({"PWD": path, "pwd": path}, ())
    if " " not in path:
        assert REDACTOR.text(f"HOME=/x\nPWD={path}\nOLDPWD={path}\n")[1] == ()


@pytest.mark.parametrize("secret", ["hunter2", "/Ab$9!", "a/b"])
def test_a_password_called_pwd_is_taken_out(secret: str) -> None:
    assert secret not in str(REDACTOR.value({"pwd": secret})[0])
    assert secret not in REDACTOR.text(f"Server=a;Pwd={secret};Encrypt=true")[0]


def test_a_digest_header_is_taken_out_whole() -> None:
    fields = 'Digest username="me", realm="r", nonce="hunter2", nc=01, response="hunter2"'
    for text in (fields, f"Authorization: {fields}", json.dumps({"h": fields}), json.dumps({"Authorization": fields})):
        assert "hunter2" not in REDACTOR.text(text)[0]


def test_a_command_line_within_json_hides_its_secrets() -> None:
    clean, _ = REDACTOR.value({"args": ["--token", "hunter2", "--verbose"]})
    assert clean["args"][0::2] == ["--token", "--verbose"]
    assert "hunter2" not in str(clean)


def test_too_deep_a_value_is_refused() -> None:
    value: Any = "x"
    for _ in range(300):
        value = [value]
    with pytest.raises(UnscannableError):
        REDACTOR.value(value)


def test_the_list_of_redactions_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LISTED", 2)
    clean, redactions = REDACTOR.value([{"password": str(index)} for index in range(5)])
    assert [note.rule for note in redactions] == ["key-name", "key-name", "not-listed"]
    assert redactions[-1].length == 3
    assert str(clean).count("REDACTED") == 5


@pytest.mark.parametrize("half", ["whole", "begin", "end"])
def test_a_private_key_is_taken_out_whole_or_cut(half: str) -> None:
    key = build("{pem}")
    body = key.split("\n")[1]
    cut = {"whole": key, "begin": key[: key.index("-----END")], "end": key[key.index(body) :]}[half]
    for text in (cut, cut.replace("\n", "\\n"), cut.replace("\n", "\\r\\n")):
        clean, _ = REDACTOR.text(f"key: {text}")
        assert body not in clean


ADVERSARIAL = [
    "password=" * 110_000,
    "max_tokens=" * 90_000,
    "password" * 125_000,
    "eyJ" * 333_000,
    "eyJ." * 250_000,
    "a." * 500_000,
    "://" * 333_000,
    "://a:" * 200_000,
    "://a:b@" * 140_000,
    "-----BEGIN " * 90_000,
    "-----BEGIN PRIVATE KEY-----" * 38_000,
    "-----END PRIVATE KEY-----" * 40_000,
    "AKIA" * 250_000,
    "AKIAQ3EGRTZ5XW2JKLMN " * 50_000,
    "sk-" * 333_000,
    "SG." * 333_000,
    "token" + "\\" * 1_000_000,
    'token:"' * 140_000,
    "token: [" * 125_000,
    "bearer " * 140_000,
    "[REDACTED:" * 100_000,
    ("[REDACTED:x:01234567]" + "password=a ") * 31_000,
    "ghp_" * 250_000,
    "İ" * 500_000 + "password=x",
    '{"a":' * 200_000,
    "requestState" * 80_000,
    "mysql " * 160_000,
    ("mysql" + " " * 8 + "x" * 250) * 4_000,
    'digest a="b", ' * 70_000,
    'digest a="' * 100_000,
    "pwd=/" * 200_000,
    ("PWD=" + "/" * 4_000 + "! ") * 250,
    "PWD=" + "/" * 1_000_000,
    "--token " * 125_000,
    "--token x" * 110_000,
    '--token "' * 110_000,
    "--token '\\'" * 90_000,
    "--token" + " " * 1_000_000,
    "--token " + "(" * 1_000_000,
    "-token-" * 140_000,
    "\x1b[" * 500_000,
    "\x1b[mpassword=" * 70_000,
    "\x1b" * 300_000 + "[m" * 300_000 + "password=x",
    "\x1b[0;" * 250_000 + "token",
    "token\\u001b[" + "\\" * 1_000_000,
    "Cookie: \x1b[m" * 70_000,
]


HOSTILE_SIZE = 200_000  # characters; test_limits.py holds that more takes only that much longer


@pytest.mark.parametrize("text", ADVERSARIAL, ids=lambda text: text[:24])
def test_a_hostile_text_is_scanned_to_its_end(text: str) -> None:
    once, _ = REDACTOR.text(text[:HOSTILE_SIZE])
    assert "[REDACTED:unscanned:" not in once


def test_fifty_megabytes_in_one_string_are_scanned() -> None:
    secret = "ghp_" + "a1B2" * 10
    clean, redactions = REDACTOR.value({"content": "lorem ipsum dolor " * 2_900_000 + secret})
    assert len(redactions) == 1
    assert secret not in clean["content"][-100:]


def test_a_runs_start_is_redacted() -> None:
    started = RunStarted(
        run_id="r",
        at=1,
        name="x password=hunter2",
        command=("srv", "--token", "hunter2", "\udcff"),
        cwd="/home/me/token=hunter2",
        env_names=("HOME", "ghp_" + "a1B2" * 10),
        tap_version="0",
        tap_pid=1,
        tap_created=None,
        server_pid=2,
        server_created=None,
        host_session_id=None,
        executable_path="/opt/secret=hunter2/srv",
        executable_sha256=None,
    )
    clean = redact_started(REDACTOR, started)
    written = orjson.dumps(clean).decode()
    assert "hunter2" not in written
    assert "ghp_a1" not in written
    assert {note.pointer for note in clean.redactions} == {
        "/command/2",
        "/cwd",
        "/name",
        "/executable_path",
        "/env_names/1",
    }


def test_what_a_members_name_tells_does_not_make_a_crowd_of_which_the_rest_is_suspected() -> None:
    doubtful = ["password = getpass.getpass()", "token=${TOKEN}", "token: string"]
    members = [{"zendesk token: str": f"Zx{number}cv2bn3"} for number in range(1_100)]
    clean, notes = REDACTOR.value([*members, *doubtful])
    assert len(notes) >= len(members)
    assert clean[len(members) :] == doubtful


def test_many_prefixes_in_a_message_are_looked_for_in_each_of_its_strings() -> None:
    rule = next(rule for rules in families().values() for rule in rules if rule.id == "issuer-prefix")
    secrets = [f"{keyword}aB3dE6gH9jK2mN5pQ8sT1vW4" for keyword in rule.keywords]
    for value in (secrets, [base64.b64encode(f"key {secret}".encode()).decode() for secret in secrets]):
        clean, notes = REDACTOR.value(["plain words", *value, "plain words"])
        assert len(notes) == len(secrets)
        assert all("[REDACTED:" in text for text in clean[1:-1])
    parts = [part for part in REDACTOR.scanner.rules if part.id == rule.id]
    assert together(parts) == [rule]
    assert together(parts[:1]) == parts[:1]


@pytest.mark.parametrize("before", ["=", ' ="', "=(", " "])
def test_what_follows_a_placeholder_is_looked_at_and_what_opens_it_is_not(before: str) -> None:
    kept = f"srv --password {before.strip()}[REDACTED:assignment:17adeeb6]"
    assert REDACTOR.text(kept) == (kept, ())
    clean, (note,) = REDACTOR.text(f"srv --password =[REDACTED:assignment:17adeeb6]{HIDDEN}")
    assert (HIDDEN in clean, note.length) == (False, len(HIDDEN))

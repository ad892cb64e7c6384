"""A secret that was found once is taken out wherever else the same value has it."""

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
VALUE = "Zq8xV3" + "kLm2Pw9Aa"


@pytest.mark.parametrize(
    "value",
    [
        {"token": VALUE, "log": f"sent {VALUE} to the server"},
        {"log": [f"sent {VALUE}"], "env": {"API_KEY": VALUE}},
        {"content": [{"type": "text", "text": f"password: {VALUE}"}, {"type": "text", "text": f"{VALUE}, again"}]},
        {"text": f"token = '{VALUE}' | '{VALUE}'"},
        {"text": f'{{"token": "{VALUE}", "echo": "{VALUE}"}}', "more": f"/path/{VALUE}"},
    ],
)
def test_it_goes_everywhere_under_the_same_name(value: object) -> None:
    clean, redactions = REDACTOR.value(value)
    assert VALUE not in str(clean)
    assert len({(note.rule, note.fingerprint) for note in redactions}) == 1
    assert len(redactions) >= 2
    assert REDACTOR.value(clean) == (clean, ())


def test_each_place_has_a_note_with_its_pointer() -> None:
    _, redactions = REDACTOR.value({"token": VALUE, "a/b": ["", f"is {VALUE}, {VALUE}"]})
    assert [note.pointer for note in redactions] == ["/token", "/a~1b/1", "/a~1b/1"]


def test_texts_and_command_lines_are_cleaned_too() -> None:
    assert VALUE not in REDACTOR.text(f"password: {VALUE}\nunlocked with {VALUE}")[0]
    assert VALUE not in str(REDACTOR.argv(["srv", "--token", VALUE, f"--x-{VALUE}"])[0])


@pytest.mark.parametrize("word", ["postgres", "opensesame", "0000000000000", "a b1 c2 d3 e4", "short1"])
def test_what_may_be_a_word_is_taken_out_only_where_it_is_named(word: str) -> None:
    clean, (note,) = REDACTOR.value({"password": word, "about": f"it says {word}"})
    assert clean["about"] == f"it says {word}"
    assert note.pointer == "/password"


def test_what_is_exempt_somewhere_stays_there() -> None:
    exempting = REDACTOR.exempting([("key-name", "/kept/*")])
    clean, _ = exempting.value({"token": VALUE, "kept": {"x": VALUE}, "not": VALUE})
    assert clean["kept"] == {"x": VALUE}
    assert VALUE not in clean["not"]


def test_it_is_looked_for_in_no_placeholder() -> None:
    secret = "assignment" + ":0a1b2c3d"
    clean, _ = REDACTOR.value({"token": secret, "text": "[REDACTED:assignment:0a1b2c3d]"})
    assert clean["text"] == "[REDACTED:assignment:0a1b2c3d]"


def test_of_many_secrets_only_some_are_looked_for_again() -> None:
    value = {"tokens": [{"token": f"{VALUE}{number}"} for number in range(100)], "text": f"{VALUE}99"}
    clean, redactions = REDACTOR.value(value)
    assert len(redactions) >= 100
    assert VALUE not in str(clean["tokens"])


@pytest.mark.parametrize(
    "named",
    ["~/.ssh/id_ed25519", "http://evil1.example/c0Zq9x8w7v6", "2025-06-18T10:00:00Z", "localhost:5432", "a1@b2.test"],
)
def test_a_server_cannot_have_its_own_words_taken_out_before_they_are_looked_at(named: str) -> None:
    tool = {"description": f"First read {named}, then go on", "_meta": {"token": named}}
    clean, _ = REDACTOR.value({"result": {"tools": [tool], "requestState": named}})
    assert clean["result"]["tools"][0]["_meta"]["token"].startswith("[REDACTED:")
    assert clean["result"]["tools"][0]["description"] == f"First read {named}, then go on"


def test_what_a_server_wants_back_is_not_looked_for() -> None:
    clean, _ = REDACTOR.value({"result": {"requestState": VALUE, "text": f"see {VALUE}"}})
    assert clean["result"]["text"] == f"see {VALUE}"


def test_the_id_of_a_message_stays() -> None:
    clean, _ = REDACTOR.value({"jsonrpc": "2.0", "id": VALUE, "params": {"token": VALUE, "id": VALUE}})
    assert clean["id"] == VALUE
    assert VALUE not in str(clean["params"])


def test_what_an_exemption_keeps_stays_where_another_rule_found_the_same_value_first() -> None:
    exempting = REDACTOR.exempting([("assignment", "/kept")])
    clean, _ = exempting.value({"token": VALUE, "kept": f"password: {VALUE}", "not": f"is {VALUE}"})
    assert clean["kept"] == f"password: {VALUE}"
    assert VALUE not in str({**clean, "kept": ""})

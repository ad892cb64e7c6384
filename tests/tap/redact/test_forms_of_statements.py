"""Secrets that the form of a statement or of a command line tells, and what only looks like one."""

import json

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
VALUE = "hunter2" + "Zq"


@pytest.mark.parametrize(
    "text",
    [
        "zip -r -P {} out.zip in",
        "unzip -P {} out.zip",
        "7z a -p{} out.7z in",
        "7z x -p'{}' out.7z",
        "unrar x -p{} a.rar",
        "rar a -hp{} a.rar",
        "vault login s.{}abc",
        "vault login token={}",
        "curl -b 'session={}' https://x",
        "curl --cookie 'sid={}; a=b' https://x",
        "curl --oauth2-bearer {} https://x",
        "mysqladmin -u root password '{}'",
        "htpasswd -b -c .ht user {}",
        "openssl enc -aes-256-cbc -k {} -in f",
        "docker login -u me -p{}",
        r"net use \\srv\share {} /user:me",
        "net user bob {} /add",
        "kubectl create secret generic s --from-literal=acme={}",
        "echo {} | gh auth login --with-token",
        "printf '%s' {} | docker login -u me --password-stdin",
        "docker login -u me --password-stdin <<< {}",
        "keytool -genkey -storepass {} -alias a",
        "npm config set //r/:_authToken {}",
        "*:*:*:me:{}",
        "CREATE USER u PASSWORD '{}'",
        "SET PASSWORD FOR 'u'@'h' = '{}'",
        "bindpw {}",
        "https://x/c?sv=2020-08-04&sig={}%2Bghi456JKL%3D",
        "https://{}abcdefghijklmnop:x-oauth-basic@git.example/x",
    ],
)
def test_a_command_a_statement_or_an_address_has_its_secret_taken_out(text: str) -> None:
    clean, redactions = REDACTOR.text(text.format(VALUE))
    assert VALUE not in clean
    assert redactions
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "text",
    [
        "pw: {}",
        "user=me;pass={}",
        "smtp_pass={}",
        'client.setPassword("{}")',
        'os.Setenv("DB_PASSWORD", "{}")',
        "define('DB_PASSWORD', '{}');",
        "requests.get(u, auth=('me', '{}'))",
        '#define DB_PASSWORD "{}"',
        'const string Password = @"{}";',
        'password = b"{}"',
        '<add key="DbPassword" value="{}"/>',
        '<setting name="Password"><value>{}</value></setting>',
        "<password><![CDATA[{}]]></password>",
        "<key>password</key>\n<string>{}</string>",
        "- name: ACME_PASSWORD\n  value: {}",
        "password=${{DB_PASS:-{}}}",
        "ENV ACME_PASSWORD {}",
        "my password is {}",
        "Passwort: {}",
    ],
)
def test_a_literal_is_taken_out_whatever_the_form_of_the_statement(text: str) -> None:
    assert VALUE not in REDACTOR.text(text.format(VALUE))[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ["zip", "-P", VALUE, "o"],
        ["7z", "a", f"-p{VALUE}", "o"],
        ["curl", "-b", f"session={VALUE}", "u"],
        ["htpasswd", "-b", "f", "u", VALUE],
        ["docker", "login", "-u", "me", "-p", VALUE],
        ["az", "login", "-u", "x", "-p", VALUE],
    ],
)
def test_a_list_of_arguments_is_read_like_the_line_that_is_typed(arguments: list[str]) -> None:
    clean, redactions = REDACTOR.value({"args": arguments})
    assert VALUE not in json.dumps(clean)
    assert clean["args"][0] == arguments[0]
    assert [note.pointer for note in redactions] == [f"/args/{len(arguments) - 1 - (arguments[-1] in 'ou')}"]


@pytest.mark.parametrize(("command", "option"), [("zip", "-P"), ("/usr/bin/mongosh", "-p"), ("redis-cli", "-a")])
def test_the_arguments_of_a_configured_server_belong_to_its_command(command: str, option: str) -> None:
    value = {"command": command, "args": [option, VALUE, "o"]}
    assert VALUE not in json.dumps(REDACTOR.value(value)[0])
    other = {"command": "ssh", "args": ["-p", "2222", "host"]}
    assert REDACTOR.value(other) == (other, ())


@pytest.mark.parametrize(
    "text",
    ["PASSWORD={}\n", "password: {}\n", '{{"a": [1, "password": "{}"', "SECRET_KEY={}"],
)
@pytest.mark.parametrize("weak", ["mysecret", "letmein", "supersecretkey", "Pa$$w0rd!"])
def test_a_weak_secret_is_one_in_a_setting(text: str, weak: str) -> None:
    assert weak not in REDACTOR.text(text.format(weak))[0]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    token = Name.Function\n    return token\n",
        "    def f(self, password):\n        if x:\n            passphrase = password\n\n        if y:\n",
        "  refresh_token: z.ZodOptional<z.ZodString>;\n  scope: z.ZodString;",
        "while (my $token = $parser->get_token) {",
        "        headers['Authorization'] = auth_header\n        return headers",
        '"secret_ref": "V1SecretReference"',
        'CODE_TOKEN = "code token"',
        'headers["authorization"] = "Basic " + encoded',
        "{secret: 'will be redacted', other: 1}",
        "15s call tests/test_secrets.py::test_no_planted_secret_is_found",
        "[the token]: https://example.com/docs/tokens.html",
        "https://codecov.example/gh/a/b/graph/badge.svg?token=OWTdxAIsPI",
        "resulted in an error at token: %r. Retrying in relaxed mode.",
        "{% translate %}Enter your password:{% endtranslate %}",
        'print STDERR "Token: ", $token->dump, "done"',
        "'password' => 'required|min:8|confirmed',",
        "new_password: !vault |\n",
        "postgresql://scott:tiger@localhost/test and https://username:password@example.com",
        "Release GPG key: 9554F04D7259F04124DE6B476D5A82AC7E37093B",
        '"ChangeToken": "abcd12f2-46da-4fdb-b8d5-fbd4c466928f"',
        "a.js,sha256=r8_DrqAfn6QLwQnmXEggveiSU-UaIL2p2nuPINelfFc,14949",
        "withXSRFToken: defaultToConfig2,\n  other: defaultToConfig2,",
        'cookie += "; Secure"',
        "POLICY_CREATE_SECRET = 0x00000020",
    ],
)
def test_what_names_or_computes_a_secret_is_left_alone(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_an_object_named_like_an_operation_is_read_member_by_member() -> None:
    value = {"pagination": {"ListAccessTokens": {"limit": "MaxResults"}}, "scripts": {"test:cookies": "borp -p x y"}}
    assert REDACTOR.value(value) == (value, ())


def test_a_value_that_says_it_is_sensitive_is_taken_out() -> None:
    clean, _ = REDACTOR.value({"outputs": {"db": {"sensitive": True, "value": VALUE}}})
    assert VALUE not in json.dumps(clean)

"""Secrets in text, known by the name before them."""

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
VALUE = "hunter2" + "Zq"


@pytest.mark.parametrize(
    "text",
    [
        "password={}",
        "password = {}",
        "DB_PASSWORD=a;b,{}",
        "  export DB_PASSWORD=a)b&{}",
        "DB_PASSWORD={}\nOTHER=1",
        "export API_KEY='{}'",
        'export API_KEY="{}"; run',
        "password: {}\nuser: x",
        '"password": "{}"',
        "'password': '{}'",
        '{{"a": [1, "password": "{}"',
        r"\"password\":\"{}\"",
        r"\\\"password\\\":\\\"{}\\\"",
        r'{{"x": "{{\"api_key\": \"{}\"}}"}}',
        "Server=db;User Id=sa;Password={};Encrypt=true",
        "https://example.com/x?user=1&access_token={}&y=2",
        "X-Api-Key: {}",
        "Authorization: {}",
        "Authorization: Bearer {}",
        "authorization: Token {}",
        "Set-Cookie: sid={}; Path=/",
        "os.environ['SECRET_KEY'] = '{}'",
        "secret => {}",
        "<cfg><db:password>{}</db:password></cfg>",
        '<server password="{}"/>',
        "token%3D{}",
        "{{'credentials': {{'user': 'a', 'pin': '{}'}}}}",
        '"credentials":["a","{}"]',
        '"password": "correct horse {} staple',
        "PASSWORD=İ{}",
        "İİİ password={}",
        'var acmeToken string = "{}"',
        'let token: &str = "{}"',
        "ACME_TOKEN ?= {}",
        "ACME_TOKEN ::= {}",
        '$acmeToken .= "{}"',
        'this.token ||= "{}"',
        'if creds.Secret != "{}" {{',
        "if (token === '{}')",
        "<acmeToken>\n    {}\n</acmeToken>",
        "<secret>{{AQAAABAAAAAQ{}Zq8xV3kL}}</secret>",
    ],
)
def test_a_value_behind_a_secret_name_is_taken_out(text: str) -> None:
    clean, redactions = REDACTOR.text(text.format(VALUE))
    assert VALUE not in clean
    assert redactions
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "text",
    [
        "password: must be at least eight characters",
        "The password is checked by the server.",
        "def login(user: str, password: str) -> Token:",
        "token = get_token(user)",
        'if (token === "function")',
        "<secret>{{password}}</secret>",
        "<token>\n  <name/>\n</token>",
        "let token: string;",
        "TOKEN=$(pass show acme)",
        "api_key: '[hidden]'",
        "NOTION_TOKEN=ntn_****",
        "OPENAI_API_KEY=sk-…",
        "token: 'mock-token'",
        "password = your-client-secret-here",
        "this.token = saved && saved.trim()",
        "`token:` a short explanation",
        "console.log('password:', password)",
        'SECRET_KEY_NAME = "ACME_SECRET_KEY"',
        'authorizationScope = "openid"',
        "[cookies]: https://example.com/cookies",
        "token: {userId}:{grantId}",
        "password = self.password",
        'password="${DB_PASSWORD}"',
        "password=<your password>",
        "API_KEY=$API_KEY",
        "max_tokens=4096, progressToken: 7, nextCursor=abc",
        "secret: null",
        "const token = await load();",
        "SECRET_KEY: ${{ secrets.KEY }}",
        "if token > limit: pass",
        '"password": ""',
        "author: jane.doe, authors=3",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "id 123e4567-e89b-12d3-a456-426614174000",
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "Ordinary prose: a token of appreciation; the secret of good tea, and a cookie with it.",
        "'Cookie': 'http.cookies', and in a lock file \"node_modules/cookie\": {",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_what_stands_around_the_value_stays() -> None:
    clean, _ = REDACTOR.text(f"Server=db;Password={VALUE};Encrypt=true")
    assert clean.startswith("Server=db;Password=[REDACTED:odbc-password:")
    assert clean.endswith("];Encrypt=true")


@pytest.mark.parametrize(
    "text",
    [
        "client_secret: clientSecret\n}",
        "exports.fetchToken = require_public.fetchToken;\n",
        "{ requestState: spec.requestState }",
        "Client(credentials=credentials)",
        "{ resumptionToken: lastEventId, }",
        "if cookie == 0 and self.decoder:",
        "cookie = self.tell()",
        "Session(\n    aws_session_token=SESSION_TOKEN,\n)",
        "var ClientCredentialsProvider = class {",
        "clientSecret: 'my-secret',",
        '"cookie-session": "2.0.0"',
        "an access token: the digest of it",
        "carries `Authorization: DPoP <token>`",
    ],
)
def test_what_programs_and_manuals_say_of_secrets_is_none(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        "password: correctHorse\n",
        "DB_PASSWORD=my_secret_word\n",
        "DB_PASSWORD=my_secret,word,\n",
        "Server=db;Password=mysecretword1;",
        "password: tr0ub4dor.and_3\n",
        "Cookie: abcdef123456\n",
        "Cookie: sid=abc; theme=dark\n",
        "?access_token=abcdefgh&x=1",
    ],
)
def test_a_value_that_could_be_a_name_is_taken_out_where_values_stand(text: str) -> None:
    assert len(REDACTOR.text(text)[1]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Pwd={Zq9x8w7v6u};",
        "Password={abc Zq9x8 def};",
        "redis://default:{p4ss}w0rdZq9@h",
        "mongodb+srv://bob:${PW}Zq9x8w7v@h",
        "SLACK_TOKEN=https://hooks.test/T00/B00/Zq9x8w7v6u",
        "API_SECRET=[Zq9x8w7v6u5t4s3r]",
        "password=(abc123!x9",
        'sh -c "PGPASSWORD="Zq9x8w7v6u" psql"',
        "authorization_header: Zq9x8w7v6u5t",
        "sha1-ghp" + "_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R",
    ],
)
def test_what_only_begins_like_a_stand_in_is_taken_out(text: str) -> None:
    clean, _ = REDACTOR.text(text)
    assert "Zq9x8" not in clean
    assert "0a1B2c3D4e" not in clean
    assert "REDACTED" in clean


@pytest.mark.parametrize("text", ["password={}", "password: {}\n", "token = {} # x", '"token":"{}"', "a&secret={}"])
@pytest.mark.parametrize("value", ["a1b00001234", "x1y2z3w4v5u6", "q7W2e9R4t6Y1", "f00dfeed0badcafe"])
def test_letters_and_digits_in_turns_are_a_secret_and_end_where_they_end(text: str, value: str) -> None:
    clean, (note,) = REDACTOR.text(text.format(value))
    assert clean == text.format(REDACTOR.placeholder(value, "assignment")[0])
    assert note.length == len(value)


@pytest.mark.parametrize(
    "text",
    [
        "  token := k8sToken1a2\n  use(k8sToken1a2)\n",
        "x = y\nself.token = oauth2flow1\nreturn oauth2flow1\n",
        "let token = utf8str2\nreturn token",
        "return { token: ec2role1 }",
        'token = "123abc456"',
        'api_key = "my2placeholder1"',
    ],
)
def test_a_name_with_numbers_and_a_sequence_stay(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize(
    "text", ["if token == a1b2c3d4e5 then", "token=0xa1b2c3d4 ", "password=1axxxxx2b ", "secret != x1y2z3a4"]
)
def test_letters_and_digits_that_are_compared_or_stand_for_something_stay(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_of_a_header_all_is_taken_out_however_it_begins() -> None:
    assert "theme" not in REDACTOR.text("Cookie: a1b2c3d4e5=f6; theme=dark\n")[0]
    assert "Zq8x" not in REDACTOR.text("Authorization: a1b2c3d4e5 Zq8xV3\n")[0]

"""Expressions, types, numbers and forms of documents behind a secret's name are no secrets."""

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    "text",
    [
        'switch (kind) { case "password": e = x("Protected"); }',
        'createElement("input", {type: shown ? "password" : "text"})',
        "export interface Update {\n  certificate: Buffer;\n  privateKey: Buffer;\n}\n",
        "export type Params = {\n  id: string\n  credential: RegistrationResponseJSON\n}\n",
        '    "DELETE /apps/{id}/token": Operation<"/apps/{id}/token", "delete">;\n',
        "private shouldReadV8Snapshot;\nprivate validateL3Outcome;\n",
        "export class CreateOAuth2TokenCommand {}\nkey: testP256PrivateKey,",
        "ER_A = 1819\nMUST_CHANGE_PASSWORD = 1820\nMUST_CHANGE_PASSWORD_LOGIN = 1862\n",
        "const COOKIE_MAX_AGE = 2592e3;",
        "password_query = SELECT name FROM users\nsasl_password_maps = hash:/etc/postfix/sasl_passwd\n",
        "cookie-value = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE )\ncookie-octet = %x21 / %x23-2B\n",
        "for _, cookie := range r.Cookies() {",
        "    secret := types.Secret{\n        ID: s.ID,\n",
        "--- PASS: TestVet/5 (0.00s)\n",
        "ALL:!aNULL:!PSK:!RC4:!ADH:!LOW@STRENGTH",
        "{% translate 'New password:' %}</label>",
        "same &lt;token&gt; in the message. A setting</p></div>",
        "https://&lt;username&gt;:&lt;secret&gt;@&lt;server_address&gt;",
        "$cookie = 'wp-reset-' . COOKIEHASH;",
        "'Credential=' + credentials.accessKeyId + '/' + scope",
        'f(url + "&password="+encodeURIComponent(e.password),o)',
        "{0.password!r} ', password={0.password!r}'.format(self)",
        ":type sasl_credentials: tuple\n:type credentials: :class:`~acme.Credentials`\n",
        'ATOM: "yy-mm-dd", COOKIE: "D, dd M yy"',
        'const SECURE_COOKIE_PREFIX = "__Secure-";',
        'secret: "\\u3299\\ufe0f"',
        'type Code = "NO_SECRET" | "TWITTER_OAUTH_2_BETA" | "DEBUG"',
        'key.includes("-----BEGIN RSA PRIVATE KEY-----");\nfunction isPkcsOneKey(privateKeyOfUser) {',
        '.IX Item "--load-cookies file"\n',
        "def encrypt(plaintext, key, encryption=ALGORITHMS.A256GCM, zip=None):",
        "packet.writeString('mysql_native_password', 'latin1');",
        "\\fBauth=\\fR\\fB\\fIvalue\\fR\\fR",
        'secret_id = f"s-{uuid.uuid4().hex}"',
        'credentialProcessKey = "credential_process"',
        '{"token": "00000000-0000-4000-8000-000000000000"}',
        "currentToken = [css.slice(pos, next + 1), pos]",
        'input[type="password"]:focus,input[type="email"]:focus{}',
        "name:passwd:uid:gid:gecos:dir:shell",
        "key_or_pass = 1\npassword = r'([a-f0-9]{48}(?![a-f0-9]))'",
        "PURGE_CREDENTIAL_INTERVAL_MS = 30_000;",
        'throw new Error("Unexpected token: "+e.type+" ("+e.value+")")',
        'sudo: ["ALL=(ALL) NOPASSWD:ALL"]',
    ],
)
def test_what_a_program_or_a_document_has_there_stays_readable(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        "password: Summer2024!",
        "ports:\n  db: 5432\n  password: 123456\n",
        "DB_PORT=5432\nDB_PASSWORD=5555\n",
        'const PASSWORD = "Buffer2024";',
        "function f() {\n  apiKey: TWwtBowxWbez\n}\n",
        "token: [WRRNHCBKWBPZFM]",
        "PASS: Zq8xV3kL",
        "IDENTIFIED BY ':O6oClU7d2V'",
        "<token>two words</token>",
        "password=+Kd82jQ9x",
        "Cookie: session==5Nt20aq0Lt; theme=dark",
        'auth_token: ["river_battery_tiger"]',
        "DB_PASSWORD=a.Zq8xV3kL",
    ],
)
def test_what_only_resembles_that_is_taken_out(text: str) -> None:
    assert REDACTOR.text(text)[1]

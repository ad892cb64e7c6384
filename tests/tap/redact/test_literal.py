"""What manuals and programs have where a secret would be stays readable; what only resembles that does not."""

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    "text",
    [
        "create [--password=PASSWORD | --prompt] [--private-key=PRIVATE_KEY] --secret=SECRET --auth-token=TOKEN",
        "--set-secrets=[KEY=VALUE,...] --remove-secrets=[KEY,...]",
        "--set-secrets=[NAME=REF,/path=REF,...] SECRET_NAME=SECRET_REF. To use",
        "\t* src/chpasswd.c: Likewise.\n",
        "vonage://ApiKey:ApiSecret@Phone irc://user:pass@irc.server/@user1",
        "amqp://guest:guest@localhost// mongodb://%s:%s@%s",
        "secret: 'a secret with minimum length of 32 characters'",
        "headers: { Authorization: `Bot ${token.replace(/^Bot */, '')}` }",
        "setting `AZURE_TOKEN_CREDENTIALS=WorkloadIdentityCredential`",
        "/complete/?AccountSid=AC" + "c65ea16c9ebd4d4684edf814995b27e",
        "--key='AAAAB3NzaC1yc2EAAAADAQABAAABAQ'",
        "begins with `-----BEGIN PRIVATE KEY-----` and is long",
        "describe (CREDENTIAL : --location=LOCATION)",
        "  -S KEY_PASSWORD, --private_key_password KEY_PASSWORD\n",
        ":param private_key: [APN only] the key",
        "--token-secret-version=projects/my-project/secrets/my-secret/versions/2",
        "export ACME_CREDENTIALS=key.json",
        "token: 'https://accounts.acme.dev/oauth2/v4/token',",
        "authorization: `https://acme.dev/access_token?scope=email&v=${apiVersion}`,",
        "git config credential.https://acme.dev.username me",
        "headers['Authorization'] = f'OAuth {token.token}'",
        "headers = {'Authorization': '{0}APIToken={1}!{2}'.format(a, b, c)}",
        "cookie: `sid=${app.signCookie(value)}`",
        "error: 'No Authorization was found in request.cookies'",
        "console.log('Signed Cookies: ', req.cookies)",
        "Cookie: theme=dark; lang=en",
        "new Headers({ 'set-cookie': 'colour=lightBlue; Secure' })",
        "const obj = { name: 'val', pwd: { $ne: null } };",
        "expect(() => config({ token: { key, keyId: 123 } })).toThrow(/token.key is missing/)",
        "const AUTH_KEYS = ['type', 'user', 'accessToken', 'refreshToken'];",
        "passwords = {'conn_pass': sshpass, 'become_pass': becomepass}",
        "type Credentials = Record<string, unknown>",
        "export type PrivateKey = crypto.KeyLike | crypto.Input",
        "export import SecretParams = Namespace1.SecretParams;",
        "type TokenState = 'valid' | 'invalid'",
        "PrivateKeyInfo ::= SEQUENCE {",
        "FakeConfig(host=HOST, token=BEARER_TOKEN_FORMAT % data)",
        "get_credentials=lambda: fail()",
        "f(encryption_key_sha256=_encryption_key_sha256)",
        "user_api_key_spend: float",
        'prefix_token="<pre>", eot_token="<eot>"',
        "client = Client(api_key='anything'), Client(api_key='sk-test')",
        'body({"id_token": "HEADER.PAYLOAD.SIGNATURE", "api_key": "abc123"})',
        "curl -H 'Authorization: Bearer abc123' http://localhost",
        "http localhost authorization:custom-token",
        "$token = Get-AzAccessToken @params",
        "Server=localhost;User Id=username;Password=password;Encrypt=true",
        "ldapsearch -x -D cn=root -w secret -b o=host",
        "curl -u user:password https://acme.dev",
        "http://myusername:mypassword@www.example.com:80/x and http://KEY:SECRET@api.acme.dev",
        "connect(host=host, password=smtp_password, port=1)",
        "spotifyApi.getAlbum('5U4W9E5WsYb2jUQWePT8Xm')",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
        "isinstance(private_key, ed25519.Ed25519PublicKey)",
        '"secret": "V1SecretProjection", a2p_bundle_sid=a2p_profile_bundle_sid',
        "START = '-----BEGIN OPENSSH PRIVATE KEY-----'\nEND = '-----END OPENSSH PRIVATE KEY-----'",
        "key='-----BEGIN PRIVATE KEY-----\\nXXXX\\n-----END PRIVATE KEY-----'",
    ],
)
def test_what_only_looks_like_the_value_of_a_secret_stays_readable(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize(
    "text",
    [
        "--password=PASSW0RD",
        "--password=SWORDFISH",
        "PASSWORD=[Zq9x8,Zq9x8]",
        "login(password='hunter2')",
        "const password = 'Summer2024!'",
        "ACME_SECRET=acme/Zq9x8w7v/prod",
        "token: 'https://acme.dev/hooks/Zq9x8w7v6u5t4s3r'",
        "secrets: { password: 'Zq9x8w7v' }",
        "{ token: { key: 'Zq9x8w7v', keyId: 123 } }",
        "Cookie: theme=dark; session=Zq9x8w7v",
        "Cookie: theme=zq9x8w7v6u5t4s3r",
        "ACME_TOKEN ::= Zq9x8w7v",
        "token = 'Zq9x8w7v' | 'other'",
        '{"password": "abc123"}',
        "mysql -u root -pZq9x8w7v",
        "Server=db;User Id=me;Password=myPassword;Encrypt=true",
        "http://acme:Zq9x8w7v@www.example.com/",
        "log('Password: ', 'x'); password = 'Zq9x8w7v'",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
        "https://acme.dev/?sid=Zq9x8w7v6u5t4s3r2q1p",
        "spotify_secret('5U4W9E5WsYb2jUQWePT8Xm')",
    ],
)
def test_what_only_resembles_that_is_taken_out(text: str) -> None:
    assert len(REDACTOR.text(text)[1]) == 1

"""Which names mean that their value is a secret.

A name is taken apart into words (`dbPassword`, `DB_PASSWORD` and `db-password` are the same two), then judged by its
words, so that `author` is no `authorization` and `max_tokens` is a count.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# A word that is, or ends in, one of these names a secret.
_SECRET: Final = (
    "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "passw", "secret", "secrets", "credential",
    "credentials", "creds", "cookie", "cookies", "authorization", "apikey", "apikeys", "apisecret", "privatekey",
    "secretkey", "accesskey", "authkey", "jwt", "otp", "totp", "mnemonic", "passwort", "kennwort", "wachtwoord",
    "contrasena", "senha", "pswd", "rootpw", "bindpw",
)  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Before "key" or "keys".
_KEY_KINDS: Final = _words(
    "api private access secret encryption signing account master auth shared service webhook license openai anthropic "
    "stripe aws azure google gcp gemini groq mistral cohere github gitlab slack twilio sendgrid mailgun datadog "
    "pinecone cloudflare supabase firebase algolia sentry django flask laravel rails jwt hmac aes fernet deploy "
    "subscription consumer bot admin root session maps recovery decryption functions function"
)
# Before "pass" as the last word: others have a first pass, and a boarding pass.
_PASS_KINDS: Final = _words(
    "db database user admin root mysql mariadb pg postgres pgsql redis mongo mongodb smtp imap mail email ftp sftp ssh "
    "sudo login http https proxy ldap api service app account keystore truststore cert key wifi rabbitmq amqp auth es "
    "elastic kafka vault jira jenkins nexus docker registry basic"
)
# "token" as the last word is a secret unless one of these stands before it.
_TOKEN_KINDS: Final = _words(
    "skip progress next prev previous page paging pagination cursor continuation continue sync max min stop eos "
    "bos pad unk prefix suffix middle eot fill image audio video begin mask sep cls special input output prompt "
    "completion total per first last start end new count change creation request purchase idempotency marker "
    "waiter iterator lexer syntax keyword operator punctuation"
)  # fmt: skip
_TOKENS_KINDS: Final = _words("access refresh auth api bearer session id secret")
# After "token" these leave it one.
_TOKEN_PARTS: Final = _words("value prod production dev staging test live secret key rest prefix suffix part b64 raw")
# After a secret word, these make the name one of a thing about the secret.
_ABOUT: Final = _words(
    "count counts limit limits length size type types policy policies url urls uri endpoint endpoints expires "
    "expiry expiration expired ttl usage estimate estimates estimated budget name names path file field fields "
    "required enabled supported server servers domain method methods min max strength arn jar exists store at in "
    "stdin scope scopes navigation env variable namespace location provider manager schema pattern regex format "
    "hint description title label placeholder error errors handler permission permissions ref refs reference "
    "references selector available algorithm alg algorithms last used spec encryption serializer version versions "
    "status context port host address spend budget cost alias info metadata details enum len thumbprint "
    "fingerprint audience age reason reasons rule rules requirement requirements function functions event "
    "events query queries maps sources scheme by button validator validators hasher hashers middleware "
    "generator ms seconds minutes hours days interval duration"
)  # fmt: skip
_SWITCHES: Final = ("has", "is")  # yes or no
_SWITCH: Final = ["with", "credentials"]  # of every request in a browser
_EXACT: Final = frozenset(
    ("sig", "pw", "psk", "x-amz-signature", "x-goog-signature", "_auth", "auth", "passkey", "pass", "requeststate")
)


_PASSWORD = re.compile(r"(?i)(?:pass(?:word|wd|phrase|code)?|pwd?|secret(?:[_-]?key)?)s?$")
_PATH = re.compile(r"(?:~|[A-Za-z]:|(?=[/\\]))(?:[/\\][\w.+@ -]*)*")


@lru_cache(maxsize=8192)
def _judge(name: str) -> bool:
    if name.lower() in _EXACT:
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or words == _SWITCH or (words[0] in _SWITCHES and len(words) > 1):
        return False
    return any(_names_secret(words, index) for index in range(len(words)))


def _names_secret(words: list[str], index: int) -> bool:
    word = words[index]
    before = words[index - 1] if index else ""
    if word.endswith(_SECRET):
        return not word.startswith("nopass")
    if word in ("key", "keys"):
        return before in _KEY_KINDS
    if word == "pass":
        return index == len(words) - 1 and before in _PASS_KINDS
    if word == "tokens":
        return before in _TOKENS_KINDS
    if word.endswith("token"):
        kind = word.removesuffix("token") or before
        rest = words[index + 1 :]
        whole = all(after in _TOKEN_PARTS or after.isdigit() for after in rest)
        return whole and kind not in _TOKEN_KINDS and not kind.endswith(("next", "page", "sync", "progress"))
    return False


def names_secret(name: str) -> bool:
    """Whether a value under this key, option, variable or header is a secret."""
    # Longer names are no names; the cache must not hold them.
    return _judge(name) if len(name) <= 128 else _judge.__wrapped__(name[-128:])


def names_password(name: str) -> bool:
    """Whether people choose what has this name: a password, or a secret of their own, and no issued token."""
    return _PASSWORD.search(name[-64:]) is not None


def is_directory(name: str, value: str) -> bool:
    """Whether this is the shell's `PWD`, which holds a path and no password."""
    return name.lower() in ("pwd", "oldpwd") and len(value) <= 4096 and _PATH.fullmatch(value) is not None

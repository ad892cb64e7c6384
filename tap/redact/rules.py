"""The shapes of secrets, as data.

A rule is tried only where one of its `anchors` stands in the text, and then only forwards from there: looking for
literals is fast, and no pattern can wander. Two conditions keep a scan linear on any input: what repeats without
bound in a pattern either always matches, so that the scan goes on behind it, or cannot contain the anchor.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

# What a secret is replaced by. It is never searched again.
PLACEHOLDER: Final = re.compile(r"\[REDACTED:[a-z][a-z0-9-]{0,31}:[0-9a-f]{8}\]")


def _always(_: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape. The group `secret`, else the whole match, is what is taken out."""

    id: str
    anchors: tuple[str, ...]  # in lower case when `fold`
    pattern: re.Pattern[str]  # matched from an anchor on
    example: Callable[[], str]  # built when called: no scanner shall find a secret in this file
    near_miss: str  # is left alone
    fold: bool = False  # anchors are looked for in the lower-cased text
    accept: Callable[[re.Match[str]], bool] = _always

    def spans(self, text: str, folded: str) -> Iterator[tuple[int, int]]:
        """Where it is found in `text`; `folded` is the text in lower case, of the same length."""
        hay = folded if self.fold else text
        group = "secret" if "secret" in self.pattern.groupindex else 0
        for anchor in self.anchors:
            at = hay.find(anchor)
            while at >= 0:
                match = self.pattern.match(text, at)
                if match and self.accept(match):
                    yield match.span(group)
                at = hay.find(anchor, max(match.end() if match else 0, at + 1))


def _mixed(match: re.Match[str]) -> bool:
    """Random text, or a word of its own: `task-<hex>` is an identifier."""
    text = match[0][3:]
    before = match.string[match.start() - 1 : match.start()]
    return not before.isalnum() or (text.lower() != text and text.upper() != text)


def _has_digit(match: re.Match[str]) -> bool:
    return any(char.isdigit() for char in match["secret"][:64])


def _is_basic(match: re.Match[str]) -> bool:
    """Basic credentials are base64 of `user:password`."""
    text = match["secret"][:400]
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False


def _is_digest(match: re.Match[str]) -> bool:
    return "response=" in match["secret"]


def _is_jwt(match: re.Match[str]) -> bool:
    segments = match[0].split(".", 3)
    if len(segments) < 2 or len(segments[0]) < 12:
        return False
    return segments[1].startswith("eyJ") or (len(segments) > 2 and len(segments[1]) >= 8)


def _rule(rule_id: str, anchors: str, pattern: str, example: Callable[[], str], near_miss: str) -> Rule:
    return Rule(rule_id, tuple(anchors.split()), re.compile(pattern), example, near_miss)


_A36: Final = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"
# Programs with an option that takes a secret, and whether it may be a word of its own; elsewhere `-p` is a port.
CLIENTS: Final = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"), ("-p", False)),
    **dict.fromkeys(("sshpass", "mongosh", "mongo", "mongodump"), ("-p", True)),
    "redis-cli": ("-a", True),
}
# Of a command line: one word that is no option, no variable and no stand-in, and some words before it.
_WORD: Final = r"""(?![-$<{\[*'"\\])[^\s"'`;|&<>\\]{1,256}"""
_WORDS: Final = r"(?:[ \t]{1,8}[^\s;|&]{1,256}){0,16}?"
_FIELD: Final = r"""(?:\\{0,8}"[^"\\\n]{0,512}\\{0,8}"|[^\s,"]{1,256})"""  # of a header, quoted or not
_HEX: Final = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
_PEM_NAME: Final = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?"
PEM_BEGIN: Final = re.compile(rf"-----BEGIN {_PEM_NAME}-----")
PEM_END: Final = re.compile(rf"-----END {_PEM_NAME}-----")


def _pem() -> str:
    dashes = "-" * 5
    return f"{dashes}BEGIN RSA PRIVATE KEY{dashes}\n{_A36 * 2}\n{_A36}==\n{dashes}END RSA PRIVATE KEY{dashes}"


def _jwt() -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890"}', b"0123456789abcdefghijklmn")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


RULES: Final = (
    Rule(
        "private-key",
        ("-----BEGIN",),
        # up to its end, or to the end of a text that was cut
        re.compile(PEM_BEGIN.pattern + r"(?:[\s\S]*?" + PEM_END.pattern + r"|[\s\S]*)"),
        _pem,
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ),
    _rule(
        "aws-access-key-id",
        "AKIA ASIA ABIA ACCA",
        r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16}",
        lambda: "AKIA" + "Q3EGRTZ5XW2JKLMN",
        "AKIA is the prefix of an access key id, ASIA that of a temporary one",
    ),
    _rule(
        "aws-secret-key",
        "AKIA ASIA",
        r"A(?:KI|SI)A[A-Z0-9]{16}[\s\S]{0,200}?(?<![\w/+=-])(?P<secret>[A-Za-z0-9/+]{40})(?![\w/+=-])",
        lambda: "AKIA" + "Q3EGRTZ5XW2JKLMN, " + "wJalrXUtn/K7MDENG+bPxRfiCYzzzzzzzz1234ab",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
    ),
    _rule(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_",
        r"gh[pousr]_[A-Za-z0-9_]{30,}(?:\.[\w-]{4,}){0,2}",
        lambda: "ghp_" + _A36,
        "the ghp_ prefix; ghp_short",
    ),
    _rule(
        "github-pat",
        "github_pat_",
        r"github_pat_\w{22,}",
        lambda: "github_pat_" + _A36 + "_" + _A36,
        "github_pat_ is the prefix",
    ),
    _rule(
        "gitlab-token",
        "glpat- gldt- glrt- glptt- gloas- glcbt-",
        r"gl(?:pat|dt|rt|ptt|oas|cbt)-[\w.-]{20,}",
        lambda: "glpat-" + _A36[:20],
        "glpat-<token>",
    ),
    _rule("anthropic-key", "sk-ant-", r"sk-ant-[\w-]{20,}", lambda: "sk-ant-" + "api03-" + _A36 * 2, "sk-ant-..."),
    _rule(
        "openai-key",
        "sk-proj- sk-svcacct- sk-admin- sk-or-v1-",
        r"sk-(?:proj|svcacct|admin|or-v1)-[\w-]{20,}",
        lambda: "sk-" + "proj-" + _A36,
        "the risk-projects-of-everyone",
    ),
    Rule(
        "sk-key",
        ("sk-",),
        re.compile(r"sk-[A-Za-z0-9]{32,}"),
        lambda: "sk-" + _A36,
        "task-" + _HEX,
        accept=_mixed,
    ),
    _rule(
        "slack-token",
        "xoxb- xoxa- xoxp- xoxr- xoxs- xoxe- xoxe. xoxc- xoxd- xapp-",
        r"x(?:ox[a-z]|app)[.-][\w.%-]{10,}",
        lambda: "xoxb-" + "123456789012-" + _A36[:24],
        "xoxb-token",
    ),
    _rule(
        "slack-webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[\w/-]{16,})",
        lambda: "https://hooks.slack.com/services/" + "T00000000/B00000000/" + _A36[:24],
        "https://hooks.slack.com/services/",
    ),
    _rule(
        "stripe-key",
        "sk_live_ rk_live_ sk_test_ rk_test_",
        r"[sr]k_(?:live|test)_\w{16,}",
        lambda: "sk_live_" + _A36[:24],
        "sk_live_ keys",
    ),
    _rule(
        "webhook-secret",
        "whsec_",
        r"whsec_[A-Za-z0-9+/=_-]{20,}",
        lambda: "whsec_" + _A36[:32],
        "whsec_123",
    ),
    _rule("google-api-key", "AIza", r"AIza[\w-]{35,}", lambda: "AIza" + _A36[:35], "AIzaShort"),
    _rule("google-oauth", "ya29.", r"ya29\.[\w.-]{20,}", lambda: "ya29." + _A36, "version ya29.1"),
    _rule("google-secret", "GOCSPX-", r"GOCSPX-[\w-]{20,}", lambda: "GOCSPX-" + _A36[:28], "GOCSPX-is-a-prefix"),
    Rule(
        "jwt",
        ("eyJ",),
        re.compile(r"eyJ[\w-]*(?:\.[\w-]+)*"),
        _jwt,
        "eyJ0ZXN0IjoidmFsdWUifQ",
        accept=_is_jwt,
    ),
    Rule(
        "bearer",
        ("bearer ",),
        re.compile(r"(?i:bearer) {1,8}(?P<secret>[\w.~+/=:|-]{16,})"),
        lambda: "Authorization: Bearer " + _A36[:24],
        "the bearer of responsibilities-and-duties",
        fold=True,
        accept=_has_digit,
    ),
    Rule(
        "basic",
        ("basic ",),
        re.compile(r"(?i:basic) {1,8}(?P<secret>[A-Za-z0-9+/]{8,}={0,2})"),
        lambda: "Basic " + base64.b64encode(b"aladdin:opensesame").decode(),
        "Basic authentication",
        fold=True,
        accept=_is_basic,
    ),
    Rule(
        "digest",
        ("digest ",),
        re.compile(rf"(?i:digest) {{1,8}}(?P<secret>(?:\w{{1,32}}={_FIELD}(?:, {{0,8}})?){{2,32}})"),
        lambda: 'Digest username="me", realm="r", nc=00000001, response="' + _HEX + '"',
        "digest algorithm=sha256, length=32",
        fold=True,
        accept=_is_digest,
    ),
    _rule(
        "client-password",
        "mysql mariadb sshpass redis-cli mongo",
        rf"(?:(?:mysql|mariadb)[a-z_-]{{0,16}}{_WORDS}[ \t]-p|sshpass[ \t]-p[ \t]?|redis-cli{_WORDS}[ \t]-a[ \t]"
        rf"|mongo[a-z]{{0,8}}{_WORDS}[ \t](?:-p|--password)[ \t])[\"']?(?P<secret>{_WORD})",
        lambda: "mysql -h db -uroot -p" + "s3cr3t" + " main",
        "mysql -u root -p main; ssh -p 22; mysql --port 3306 -p$PASS",
    ),
    _rule(
        "url-password",
        "://",
        r"://[^\s:/?#@\[\"'<>]{0,256}:(?!\d{1,5}(?:[/?#\s]|$))(?P<secret>[^\s\"'<>]{1,256})@",
        lambda: "postgres://app:" + "s3cr3t" + "@db.example.com/main",
        "https://example.com:8080/users/@me and http://localhost:3000",
    ),
    _rule(
        "url-token",
        "://",
        r"://(?P<secret>[\w.~-]{20,256})@",
        lambda: "https://" + _A36 + "@example.com/repo.git",
        "ssh://git@example.com/org/repo",
    ),
    _rule("npm-token", "npm_", r"npm_[A-Za-z0-9]{36,}", lambda: "npm_" + _A36, "npm_config_registry"),
    _rule("pypi-token", "pypi-", r"pypi-[\w-]{50,}", lambda: "pypi-" + "AgEIcHlwaS5vcmc" + _A36, "pypi-server"),
    _rule("huggingface-token", "hf_", r"hf_[A-Za-z0-9]{30,}", lambda: "hf_" + _A36[:34], "hf_hub_download"),
    _rule(
        "sendgrid-key",
        "SG.",
        r"SG\.[\w-]{16,100}\.[\w-]{16,}",
        lambda: "SG." + _A36[:22] + "." + _A36,
        "SG.1.2",
    ),
    _rule(
        "telegram-token",
        ":AA",
        r"(?<=\d):(?P<secret>AA[\w-]{32,})",
        lambda: "123456789:" + "AA" + _A36[:33],
        "12:AAB",
    ),
    _rule("notion-token", "ntn_", r"ntn_[A-Za-z0-9]{40,}", lambda: "ntn_" + _A36 + _A36[:10], "ntn_x"),
    _rule("vault-token", "hvs. hvb.", r"hv[sb]\.[\w-]{24,}", lambda: "hvs." + _A36, "hvs.example"),
    _rule("groq-key", "gsk_", r"gsk_[A-Za-z0-9]{40,}", lambda: "gsk_" + _A36 + _A36[:16], "gsk_value"),
    _rule("xai-key", "xai-", r"xai-[A-Za-z0-9]{40,}", lambda: "xai-" + _A36 * 2, "xai-models"),
    _rule(
        "digitalocean-token",
        "dop_v1_ doo_v1_",
        r"do[op]_v1_[a-f0-9]{32,}",
        lambda: "dop_v1_" + _HEX * 2,
        "dop_v1_x",
    ),
    _rule("shopify-token", "shpat_ shpss_", r"shp(?:at|ss)_[A-Fa-f0-9]{32,}", lambda: "shpat_" + _HEX, "shpat_"),
)

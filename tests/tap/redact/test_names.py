"""Which names are names of secrets."""

import pytest

from mcptap.tap.redact.names import names_secret

PLAIN = """
author authors authority max_tokens maxTokens tokens progressToken nextCursor tokens_estimate token_count
tokenCount input_tokens completion_tokens nextPageToken next_page_token continuationToken pageToken token_type
token_endpoint authorization_endpoint password_policy passwordless secretary key keys keyboard monkey public_key
publicKey name id uri method signature tokenizer cookie_domain path passenger compass secret_name expires_in
access_token_expires_in primary_key foreign_key
"""

SECRET = """
password Password PASSWORD passwd pwd db_password dbPassword DB_PASSWORD userpassword passphrase secret
client_secret clientSecret AWS_SECRET_ACCESS_KEY secretKey token access_token accessToken GITHUB_TOKEN authToken
apikey api_key api-key apiKey API_KEY x-api-key X-Api-Key private_key privateKey authorization Authorization
Proxy-Authorization cookie Set-Cookie credentials aws_credentials AccountKey SharedAccessKey session_token
access_key _auth auth pass jwt otp sig X-Amz-Signature refresh_tokens requestState token_1 token_rest
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_secret(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", PLAIN.split())
def test_not_secret(name: str) -> None:
    assert not names_secret(name)


def test_a_name_of_any_length_is_judged() -> None:
    assert names_secret("x" * 100_000 + "_password")
    assert not names_secret("x" * 100_000)

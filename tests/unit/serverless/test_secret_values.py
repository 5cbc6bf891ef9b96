"""Secrets of a function."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from movieql.domain.errors import SettingsError
from movieql.serverless.secret_values import reading, secrets_manager, with_secret_values

ARN = "arn:aws:secretsmanager:eu-north-1:123456789012:secret:movieql/A_TOKEN-abcdef"


def refuse(arn: str) -> str:
    raise AssertionError(arn)


class Secrets:
    """A client of Secrets Manager that knows one secret."""

    def __init__(self, region: str) -> None:
        self.region = region

    def get_secret_value(self, **asked: str) -> dict[str, Any]:
        if asked["SecretId"] != ARN:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": f"a value of {self.region}"}


def test_secrets_take_the_place_of_where_they_are() -> None:
    environ = {"LAMBDA_SECRETS": f'{{"A_TOKEN": "{ARN}"}}', "OTHER": "stays"}
    whole = with_secret_values(environ, reading(Secrets))
    assert whole == {"A_TOKEN": "a value of eu-north-1", "OTHER": "stays"}


def test_without_secrets_nothing_is_read() -> None:
    assert with_secret_values({"OTHER": "stays"}, refuse) == {"OTHER": "stays"}


@pytest.mark.parametrize("named", ["{", "[]", '{"A_TOKEN": 1}'])
def test_what_names_no_secrets_is_refused(named: str) -> None:
    with pytest.raises(SettingsError, match="LAMBDA_SECRETS"):
        with_secret_values({"LAMBDA_SECRETS": named}, refuse)


def test_a_secret_that_is_not_filled_is_named() -> None:
    with pytest.raises(SettingsError, match="is it filled"):
        reading(Secrets)(ARN.replace("A_TOKEN", "ANOTHER"))


def test_the_client_is_of_the_region_that_was_asked_for() -> None:
    assert secrets_manager("eu-north-1").meta.region_name == "eu-north-1"

"""Values of secrets from Secrets Manager, for Lambda has no place for references to them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from movieql.domain.errors import SettingsError

SECRETS = "LAMBDA_SECRETS"
"""The variable that says which there are: a JSON object of environment variable to ARN."""

ReadSecret = Callable[[str], str]
"""Returns the value of the secret of an ARN. Raises SettingsError."""

MakeClient = Callable[[str], Any]
"""Returns a client of Secrets Manager in a region."""

_REGION_PLACE = 3  # arn:partition:service:region:account:…


def with_secret_values(environ: Mapping[str, str], read: ReadSecret) -> Mapping[str, str]:
    """Return an environment with the secrets that `LAMBDA_SECRETS` names. Raises SettingsError."""
    named = environ.get(SECRETS, "{}")
    try:
        arns = json.loads(named)
    except ValueError as error:
        raise SettingsError(f"{SECRETS} is not JSON.") from error
    if not isinstance(arns, dict) or not all(isinstance(arn, str) for arn in arns.values()):
        raise SettingsError(f"{SECRETS} is an object of environment variable to ARN.")
    values = {variable: read(arn) for variable, arn in arns.items()}
    return {name: value for name, value in environ.items() if name != SECRETS} | values


def reading(make_client: MakeClient) -> ReadSecret:
    """Return what reads a secret, with a client of the region that its ARN names."""

    def read(arn: str) -> str:
        try:
            client = make_client(arn.split(":")[_REGION_PLACE])
            value: str = client.get_secret_value(SecretId=arn)["SecretString"]
        except (BotoCoreError, ClientError, LookupError) as error:
            raise SettingsError(f"The secret {arn} cannot be read: is it filled?") from error
        return value

    return read


def secrets_manager(region: str) -> Any:
    """Return a client that waits 15 s at most; Lambda gives a start 10 s."""
    config = Config(
        connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
    )
    session = boto3.session.Session()  # not the module's own, which is shared and global
    return session.client("secretsmanager", region_name=region, config=config)

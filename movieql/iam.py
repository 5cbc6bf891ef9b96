"""Signing in to ElastiCache by IAM: in place of a password there is a token, made here."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import urlencode

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

from movieql.ports import Clock

TOKEN_LIFETIME_S = 900
"""Seconds that a token signs in, the most that ElastiCache takes."""

SPARE_S = 60
"""Seconds before its end from which a token is not used any more: it has to arrive, too."""

_SERVICE = "elasticache"
_SCHEME = "https://"  # signing needs one, and what is sent must have none


class _Token(NamedTuple):
    text: str
    access_key: str
    until: datetime


class IamCredentials(CredentialProvider):
    """Names `user`, with a token for the replication group `name`, to each new connection.

    `find` returns AWS credentials as botocore has them, None where there are none; it is called
    when they are first needed, for nothing may be open before a fork. A token is used again until
    shortly before its end, unless the credentials that signed it were replaced.
    """

    def __init__(
        self, user: str, name: str, region: str, clock: Clock, find: Callable[[], Any]
    ) -> None:
        self._user = user
        self._name = name
        self._region = region
        self._clock = clock
        self._find = find
        self._lock = Lock()
        self._credentials: Any = None
        self._token: _Token | None = None

    def get_credentials(self) -> tuple[str, str]:
        """Return user and token; may ask AWS for credentials. Raises AuthenticationError."""
        with self._lock:
            return self._user, self._current()

    async def get_credentials_async(self) -> tuple[str, str]:
        """Return the same without holding the event loop up."""
        return await asyncio.to_thread(self.get_credentials)

    def _current(self) -> str:
        try:
            frozen = self._frozen()
        except BotoCoreError as error:
            raise AuthenticationError("AWS gives no credentials to sign in with.") from error
        now, token = self._clock.now(), self._token
        if token is None or token.access_key != frozen.access_key or now >= token.until:
            until = now + timedelta(seconds=TOKEN_LIFETIME_S - SPARE_S)
            token = self._token = _Token(self._signed(frozen), frozen.access_key, until)
        return token.text

    def _frozen(self) -> Any:
        if self._credentials is None:
            self._credentials = self._find()
        if self._credentials is None:
            raise AuthenticationError("There are no AWS credentials to sign in with.")
        return self._credentials.get_frozen_credentials()

    def _signed(self, frozen: Any) -> str:
        credentials = Credentials(frozen.access_key, frozen.secret_key, frozen.token)
        events = HierarchicalEmitter()  # the signer itself keeps no hold of it
        service = ServiceId(_SERVICE)
        signer = RequestSigner(service, self._region, _SERVICE, "v4", credentials, events)
        asked = urlencode({"Action": "connect", "User": self._user})
        request = {
            "method": "GET",
            "url": f"{_SCHEME}{self._name}/?{asked}",
            "body": {},
            "headers": {},
            "context": {},
        }
        url: str = signer.generate_presigned_url(
            request, "connect", TOKEN_LIFETIME_S, self._region
        )
        return url.removeprefix(_SCHEME)

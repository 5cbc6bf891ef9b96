"""The server as the commands see it: a question has an answer, or there is a reason to end."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from movieql.commands.credentials import Credentials, Reply
from movieql.commands.endings import CommandError, ExitCode, NotNowError, printable
from movieql.commands.patience import Patience
from movieql.commands.wire import Wire

GRAPHQL = "/graphql"
"""Where questions are asked."""

T = TypeVar("T")

_NOT_ALLOWED = frozenset({"UNAUTHENTICATED", "FORBIDDEN"})
_TRIED_AGAIN = frozenset({"RATE_LIMITED", "UNAVAILABLE", "INTERNAL"})


class Server:
    """Asks until there is an answer, as long as `patience` lasts."""

    def __init__(self, wire: Wire, credentials: Credentials, patience: Patience) -> None:
        self._wire = wire
        self._credentials = credentials
        self._patience = patience

    async def ask(
        self, document: str, variables: Mapping[str, Any], read: Callable[[Any], T]
    ) -> T:
        """Return what `read` makes of `data`; it raises NotNowError for what is no answer yet.

        Raises CommandError: not allowed, refused, or no answer in time.
        """
        tries = self._patience.tries()
        payload = {"query": document, "variables": variables}
        while True:
            try:
                return read(_data(await self._replied(payload)))
            except NotNowError as error:
                await tries.wait(error)

    async def _replied(self, payload: Mapping[str, Any]) -> Reply:
        reply = await self._posted(payload)
        if reply.status == 401 and self._credentials.renew():  # noqa: PLR2004  # its time is up
            return await self._posted(payload)
        return reply

    async def _posted(self, payload: Mapping[str, Any]) -> Reply:
        token = await self._credentials.token(self._wire.post)
        return await self._wire.post(GRAPHQL, payload, token)


def _data(reply: Reply) -> Any:
    body = reply.body if isinstance(reply.body, dict) else {}
    if reply.status in {404, 405}:
        raise CommandError.ending(
            ExitCode.REFUSED, f"there is no GraphQL at this address ({reply.status}): check --url."
        )
    errors = body.get("errors")
    if errors or reply.status in {401, 403}:
        raise _reason(reply.status, errors)
    data = body.get("data")
    if not isinstance(data, dict):
        raise NotNowError(f"it answers {reply.status} without GraphQL: is --url right?")
    return data


def _reason(status: int, errors: Any) -> CommandError | NotNowError:
    first = errors[0] if isinstance(errors, list) and errors else {}
    first = first if isinstance(first, dict) else {}
    message = printable(first.get("message") or f"it answers {status}")
    extensions = first.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    code = extensions.get("code")
    if status in {401, 403} or code in _NOT_ALLOWED:
        return CommandError.ending(
            ExitCode.NOT_ALLOWED,
            f"the server does not allow this: {message} A token with the scope exports is needed "
            "(MOVIES_TOKEN, --token-file or --user).",
        )
    if code in _TRIED_AGAIN:
        wait_ms = extensions.get("retryAfterMs")
        return NotNowError.after(message, wait_ms / 1000 if isinstance(wait_ms, int) else 0.0)
    if code == "BAD_USER_INPUT":
        return CommandError.ending(ExitCode.USAGE, message)
    return CommandError.ending(ExitCode.REFUSED, f"the server refuses: {message}")

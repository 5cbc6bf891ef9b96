"""Events of an API Gateway HTTP API as requests to an ASGI app, and its answers as theirs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.types import ASGIApp

from movieql.domain.errors import BadInputError, SettingsError

Answer = Callable[[Any], Awaitable[Mapping[str, Any]]]
"""Answers an event of payload format 2.0. Raises BadInputError for any other."""

PAYLOAD_FORMAT = "2.0"
"""Of the events; the format of HTTP APIs."""

TEXT_TYPES = ("text/", "application/json", "application/graphql-response+json")
"""What media types start with that go out as text; the others go out in Base64."""


def answering(app: ASGIApp) -> Answer:
    """Return what has an app answer events; its lifespan is the caller's to keep open.

    Only Mangum's words for requests and answers are used: its own loop would open the app anew
    for every event. Raises SettingsError where it is not installed.
    """
    try:
        from mangum.handlers import HTTPGateway  # noqa: PLC0415  # the server does without it
        from mangum.protocols import HTTPCycle  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("`movieql lambda` needs `pip install movieql[lambda]`.") from error

    config: Any = {
        "api_gateway_base_path": "/",
        "text_mime_types": list(TEXT_TYPES),
        "exclude_headers": [],
    }

    asgi: Any = app  # Mangum has another type for the same

    async def answer(event: Any) -> Mapping[str, Any]:
        if not isinstance(event, dict) or event.get("version") != PAYLOAD_FORMAT:
            raise BadInputError(f"This is no event of payload format {PAYLOAD_FORMAT}.")
        context: Any = None
        gateway = HTTPGateway(event, context, config)
        cycle = HTTPCycle(gateway.scope, gateway.body)
        task = asyncio.current_task()
        await cycle.run(asgi)
        # Mangum takes a cancellation for a fault of the app and answers 500.
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        answered: Mapping[str, Any] = gateway(
            {"status": cycle.status, "headers": cycle.headers, "body": cycle.body}
        )
        return answered

    return answer

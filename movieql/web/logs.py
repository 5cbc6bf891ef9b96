"""Structured logs by consequence: ERROR is a bug to fix, WARNING an upstream that failed."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import orjson
import structlog

Logger = structlog.typing.FilteringBoundLogger
"""What everything here logs to; made once and passed in."""


TEXT_CHARACTERS_MAX = 1_000
"""Characters of a text in a log line, for a caller decides how long a path is."""

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that this task works for; it is in each of its log lines."""


def make_logger(level: str, form: str, stream: TextIO = sys.stderr) -> Logger:
    """Return a logger; `level` is a name like "info", `form` is "json" or "console"."""
    is_json = form == "json"
    logger: Logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            _with_request_id,
            _bounded,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info, _as_json] if is_json else [_console(stream)]),
        ],
    )
    return logger


def _with_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def _bounded(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for name, value in event.items():
        # The event is a name of ours, or what a library says, a traceback among it.
        if isinstance(value, str) and len(value) > TEXT_CHARACTERS_MAX and name != "event":
            event[name] = value[:TEXT_CHARACTERS_MAX] + "…"
    return event


def _as_json(_: Any, __: str, event: Mapping[str, Any]) -> str:
    # structlog's renderer with the standard library takes twice as long, on every request.
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _console(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    # Its own tracebacks show local variables, and one of them may be a token.
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


class ForwardToStructlog(logging.Handler):
    """Sends what libraries log the standard way to our logger, in our form."""

    def __init__(self, logger: Logger) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record under its library's name."""
        self._logger.log(
            record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info
        )

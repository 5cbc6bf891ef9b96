"""Structured logs by consequence: ERROR is a bug to fix, WARNING an upstream that failed."""

import logging
import sys
from typing import Any, TextIO

import structlog

Logger = structlog.typing.FilteringBoundLogger
"""What everything here logs to; made once and passed in."""


def make_logger(level: str, form: str, stream: TextIO = sys.stderr) -> Logger:
    """Return a logger; `level` is a name like "info", `form` is "json" or "console"."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        # Its own tracebacks show local variables, and one of them may be a token.
        else structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    logger: Logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if form == "json" else []),
            renderer,
        ],
    )
    return logger


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

"""Traces, where the settings ask for them."""

from contextlib import AsyncExitStack
from importlib.util import find_spec

from movieql.domain.errors import SettingsError
from movieql.ports import NO_TRACES, Tracer
from movieql.settings import Settings


def check_tracing(settings: Settings) -> None:
    """Raise SettingsError where traces are asked for and what makes them is not installed."""
    if settings.traces_url is None:
        return
    needed = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
    if not all(_is_there(each) for each in needed):
        raise SettingsError(
            "MOVIEQL_TRACES_URL needs OpenTelemetry: pip install movieql[tracing], or leave it out"
        )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even what it lies in
        return False


def open_tracer(settings: Settings, role: str, stack: AsyncExitStack) -> Tracer:
    """Return what makes spans; those that wait are sent when the stack closes.

    Call it in the process that traces, for it starts a thread. Raises SettingsError.
    """
    check_tracing(settings)
    if settings.traces_url is None:
        return NO_TRACES
    from movieql.tracing import OtelTracer  # noqa: PLC0415  # an extra, and 60 ms to import

    tracer = OtelTracer(
        settings.traces_url, settings.traces_share, role, settings.traces_timeout_s
    )
    stack.push_async_callback(tracer.close)
    return tracer

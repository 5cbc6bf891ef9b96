"""Failures of background work, told as what they are: an outage, or a fault of ours."""

from movieql.domain.errors import QueueError, StoreError
from movieql.ports import Telemetry


def tell(telemetry: Telemetry, where: str, error: BaseException) -> None:
    """Tell operators of a failure that nobody waits for. What does not answer is no bug."""
    if isinstance(error, QueueError):
        telemetry.queue_failed(f"{where}: {error}")
    elif isinstance(error, StoreError):
        telemetry.store_failed(f"{where}: {error}")
    else:
        telemetry.fault(where, error)

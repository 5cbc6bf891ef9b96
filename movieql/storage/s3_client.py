"""A boto3 client for S3 and for what speaks like it, with every wait bounded."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ATTEMPTS_MAX = 3
"""Attempts at a request, the first included; botocore waits up to 1 and 2 s between them."""


def make_client(
    *,
    region: str,
    endpoint_url: str | None = None,
    connect_timeout_s: float = 2.0,
    read_timeout_s: float = 10.0,
    attempts_max: int = ATTEMPTS_MAX,
    connections_max: int = 10,
) -> "S3Client":
    """Return a client; it calls nobody yet.

    The credentials come from where boto3 looks: environment, files, the role of the
    container or the machine. `endpoint_url` is for other servers than AWS. The read timeout is
    for each wait on a socket.
    """
    config = Config(
        signature_version="s3v4",
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts_max},
        max_pool_connections=connections_max,
        s3={"addressing_style": "path" if endpoint_url else "virtual"},
        # By default boto3 checks checksums that other servers leave out or compute in other ways;
        # with rclone's it fails on a 304 with TypeError.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    session = boto3.session.Session()  # not the module's own, which is shared and global
    return session.client("s3", region_name=region, endpoint_url=endpoint_url, config=config)

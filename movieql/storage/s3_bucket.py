"""Calls about one bucket that block; `s3` runs them in threads.

Every method raises StoreError, and where it says so another error of ours; never botocore's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5
from itertools import islice
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from movieql.domain.errors import PreconditionFailedError, StoreError, UploadGoneError
from movieql.storage.links import attachment
from movieql.storage.s3_failures import MISSING, OUT_OF_RANGE, UNCHANGED, code_of, explained

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        DeleteObjectRequestTypeDef,
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
        ListObjectsV2RequestPaginateTypeDef,
        MultipartUploadTypeDef,
        ObjectTypeDef,
        PutObjectRequestTypeDef,
    )

PAGE_MAX = 1000
"""Entries that S3 lists at once."""

Body = tuple[bytes, str]
"""What is in an object, and its version."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold for a write: the object is this version, or there is none."""

    etag: str | None = None
    absent: bool = False


class Bucket:
    """A bucket, by full keys."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes, content_type: str, condition: Condition) -> str:
        """Write an object. Raises PreconditionFailedError, UndecidedError."""
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": content_type,
        }
        if condition.etag is not None:
            request["IfMatch"] = f'"{condition.etag}"'
        if condition.absent:
            request["IfNoneMatch"] = "*"
        with explained():
            try:
                written = self._client.put_object(**request)
            except ClientError as failure:
                if condition.etag is not None and code_of(failure) in MISSING:
                    raise PreconditionFailedError from failure
                raise
            return _bare(written["ETag"])

    def get(self, key: str, bytes_max: int) -> Body | None:
        """Read an object; None where none is."""
        with explained():
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as failure:
                if code_of(failure) in MISSING:
                    return None
                raise
            return _read(found, bytes_max)

    def get_unless(
        self, key: str, etag: str, bytes_max: int
    ) -> Body | Literal["unchanged"] | None:
        """Read an object that is not this version."""
        with explained():
            try:
                found = self._client.get_object(
                    Bucket=self._bucket, Key=key, IfNoneMatch=f'"{etag}"'
                )
            except ClientError as failure:
                code = code_of(failure)
                if code in UNCHANGED:
                    return "unchanged"
                if code in MISSING:
                    return None
                raise
            return _read(found, bytes_max)

    def get_range(self, key: str, start: int, length: int) -> bytes | None:
        """Read `length` bytes, 1 or more, from the byte `start`."""
        with explained():
            try:
                found = self._client.get_object(
                    Bucket=self._bucket, Key=key, Range=f"bytes={start}-{start + length - 1}"
                )
            except ClientError as failure:
                code = code_of(failure)
                if code in MISSING:
                    return None
                if code in OUT_OF_RANGE:
                    return b""
                raise
            return _read(found, length)[0]

    def head(self, key: str) -> "HeadObjectOutputTypeDef | None":
        """Ask about an object; None where none is."""
        with explained():
            try:
                return self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as failure:
                if code_of(failure) in MISSING:
                    return None
                raise

    def list(self, prefix: str, after: str | None, limit: int) -> "Sequence[ObjectTypeDef]":
        """Ask for up to `limit` objects, a page at a time."""
        request: ListObjectsV2RequestPaginateTypeDef = {
            "Bucket": self._bucket,
            "Prefix": prefix,
            "PaginationConfig": {"PageSize": _page(limit)},
        }
        if after is not None:
            request["StartAfter"] = after
        with explained():
            pages = self._client.get_paginator("list_objects_v2").paginate(**request)
            return [*islice((each for page in pages for each in page.get("Contents", ())), limit)]

    def delete(self, key: str, condition: Condition) -> None:
        """Delete an object. Raises PreconditionFailedError, UndecidedError."""
        request: DeleteObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if condition.etag is not None:
            request["IfMatch"] = f'"{condition.etag}"'
        with explained():
            try:
                self._client.delete_object(**request)
            except ClientError as failure:
                if code_of(failure) not in MISSING:
                    raise

    def begin(self, key: str, content_type: str) -> str:
        """Start an upload and return its id."""
        with explained():
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
            return begun["UploadId"]

    def add(self, key: str, upload_id: str, number: int, part: bytes) -> str:
        """Write a part and return its ETag. Raises UploadGoneError."""
        with explained():
            written = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=part
            )
            return _bare(written["ETag"])

    def complete(self, key: str, upload_id: str, etags: Sequence[str]) -> str:
        """Join the parts. Raises UploadGoneError."""
        parts: list[CompletedPartTypeDef] = [
            {"ETag": f'"{etag}"', "PartNumber": n} for n, etag in enumerate(etags, 1)
        ]
        try:
            with explained():
                done = self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": parts},
                )
                return _bare(done["ETag"])
        except UploadGoneError:
            return self._completed(key, etags)

    def _completed(self, key: str, etags: Sequence[str]) -> str:
        """Return the version if these parts are the object: an answer of S3 was lost then."""
        found = self.head(key)
        expected = _joined(etags)
        if found is None or expected is None or _bare(found["ETag"]) != expected:
            raise UploadGoneError
        return expected

    def abort(self, key: str, upload_id: str) -> None:
        """Throw an upload away; none there is well."""
        try:
            with explained():
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload_id
                )
        except UploadGoneError:
            return

    def unfinished(self, prefix: str, limit: int) -> "Sequence[MultipartUploadTypeDef]":
        """Ask for up to `limit` uploads, a page at a time."""
        with explained():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=prefix, PaginationConfig={"PageSize": _page(limit)}
            )
            return [*islice((each for page in pages for each in page.get("Uploads", ())), limit)]

    def link(self, key: str, lifetime_s: int, filename: str, content_type: str) -> str:
        """Sign a download; asks nobody but, at times, for credentials."""
        with explained():
            return self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": attachment(filename),
                    "ResponseContentType": content_type,
                },
                ExpiresIn=lifetime_s,
            )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _page(limit: int) -> int:
    return max(min(limit, PAGE_MAX), 1)


def _read(found: "GetObjectOutputTypeDef", bytes_max: int) -> Body:
    with found["Body"] as body:
        if found["ContentLength"] > bytes_max:
            raise StoreError(f"The object is larger than the {bytes_max} bytes that fit.")
        return body.read(), _bare(found["ETag"])


def _bare(etag: str) -> str:
    return etag.strip('"')


def _joined(etags: Sequence[str]) -> str | None:
    """Return the version that S3 gives to an object of these parts; None if none can tell."""
    try:
        digests = b"".join(bytes.fromhex(etag) for etag in etags)
    except ValueError:
        return None
    return f"{md5(digests, usedforsecurity=False).hexdigest()}-{len(etags)}"

"""The object store and the house catalogue in it."""

import random
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass

from movieql.domain.errors import StoreError
from movieql.domain.movies import ContentRevision
from movieql.ports import Clock, ObjectStore, Telemetry
from movieql.providers.house import HOUSE, House, HouseTimes
from movieql.services.catalogue import Catalogue
from movieql.settings import Settings
from movieql.storage.files import FileStore
from movieql.storage.links import LinkSigner
from movieql.storage.proven import Proven
from movieql.storage.s3 import S3Store
from movieql.storage.s3_client import make_client


@dataclass(frozen=True, slots=True)
class Store:
    """The object store; where it is a folder also that, and what signs links to its files."""

    objects: Proven
    folder: FileStore | None = None
    links: LinkSigner | None = None


async def open_store(
    settings: Settings, clock: Clock, telemetry: Telemetry, stack: AsyncExitStack
) -> Store | None:
    """Return the store, None where the settings name none.

    Raises SettingsError when it ignores conditions; one that does not answer is probed later.
    """
    adapter, links = _adapter(settings, clock)
    if adapter is None:
        return None
    stack.push_async_callback(adapter.aclose)
    proven = Proven(adapter, lambda: secrets.token_hex(8), settings.store_probe_s)
    try:
        await proven.prove()
    except StoreError as error:
        telemetry.store_failed(str(error))
    return Store(proven, adapter if isinstance(adapter, FileStore) else None, links)


def _adapter(
    settings: Settings, clock: Clock
) -> tuple[FileStore | S3Store | None, LinkSigner | None]:
    if settings.store_folder is not None and settings.link_secret is not None:
        secret = settings.link_secret.get_secret_value().encode()
        links = LinkSigner(secret, settings.public_url or "", clock.now)
        folder = FileStore(
            settings.store_folder,
            clock=clock,
            sign_link=links.sign,
            lock_timeout_s=settings.store_lock_timeout_s,
            call_timeout_s=settings.store_call_timeout_s,
            threads_max=settings.store_threads_max,
        )
        return folder, links
    if settings.store_bucket is not None:
        return _bucket(settings, settings.store_bucket, clock), None
    return None, None


def _bucket(settings: Settings, bucket: str, clock: Clock) -> S3Store:
    client = make_client(
        region=settings.store_region,
        endpoint_url=settings.store_endpoint_url,
        connect_timeout_s=settings.store_connect_timeout_s,
        read_timeout_s=settings.store_read_timeout_s,
        attempts_max=settings.store_attempts_max,
        connections_max=settings.store_threads_max,
    )
    return S3Store(
        client,
        bucket=bucket,
        clock=clock,
        rng=random.Random(),  # noqa: S311  # jitter is no secret
        prefix=settings.store_prefix,
        threads_max=settings.store_threads_max,
        call_timeout_s=settings.store_call_timeout_s,
        part_bytes_min=settings.store_part_bytes,
    )


@dataclass(frozen=True, slots=True)
class HouseParts:
    """The house catalogue: to write to, and as a provider."""

    catalogue: Catalogue
    provider: House


def open_house(
    settings: Settings,
    store: ObjectStore,
    revision: ContentRevision,
    clock: Clock,
    telemetry: Telemetry,
    stack: AsyncExitStack,
) -> HouseParts:
    """Return the house catalogue."""
    catalogue = Catalogue(
        store,
        key=settings.catalogue_key,
        clock=clock,
        rng=random.Random(),  # noqa: S311  # jitter is no secret
        new_write_id=lambda: secrets.token_hex(8),
        tries_max=settings.catalogue_tries_max,
        file_bytes_max=settings.catalogue_bytes_max,
        entries_max=settings.catalogue_entries_max,
        wait_s_max=settings.catalogue_wait_s,
        waiting_max=settings.catalogue_waiting_max,
        note_written=lambda: house.expect_change(),  # noqa: PLW0108  # made below
    )
    stack.push_async_callback(catalogue.aclose)
    times = HouseTimes(
        fresh_s=settings.fresh_s,
        check_s=settings.catalogue_check_s,
        patience_s=settings.catalogue_patience_s,
        stale_on_error_s=settings.stale_on_error_s,
    )
    house = House(
        catalogue.read,
        provider=HOUSE,
        times=times,
        revision=revision,
        clock=clock,
        telemetry=telemetry,
    )
    stack.push_async_callback(house.close)
    return HouseParts(catalogue, house)

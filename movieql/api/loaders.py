"""DataLoader, made safe: one batch per tick, each detail once per request, nobody cancelled."""

import asyncio
from collections.abc import Mapping, Sequence

from strawberry.dataloader import DataLoader

from movieql.domain.answers import Answer
from movieql.domain.movies import ListingKey
from movieql.movies.browse import Browse


class DetailLoader:
    """Details by (provider, own id), over what is kept across requests.

    Strawberry's loader is only touched here: when a field fails, graphql-core cancels its
    siblings, and an unshielded `.load` would cancel the future that others wait for.
    """

    def __init__(self, browse: Browse, until_s: float) -> None:
        async def load(keys: list[ListingKey]) -> list[Answer]:
            return await browse.details(keys, until_s)

        self._browse = browse
        # What was fresh when it was first asked for stays so for the rest of the request.
        self._answers: dict[ListingKey, Answer] = {}
        self._loader: DataLoader[ListingKey, Answer] = DataLoader(load_fn=load)

    async def __call__(self, keys: Sequence[ListingKey]) -> Mapping[ListingKey, Answer]:
        """Return an answer for every key; see `ports.DetailLoad`."""
        answers = self._answers
        unknown = [key for key in keys if key not in answers]
        answers |= self._browse.kept_details(unknown)
        missing = [key for key in unknown if key not in answers]
        if missing:
            loaded = await asyncio.gather(
                *(asyncio.shield(self._loader.load(key)) for key in missing)
            )
            answers |= zip(missing, loaded, strict=True)
        return {key: answers[key] for key in keys}

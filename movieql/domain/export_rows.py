"""The rows of an export: a line per movie and provider (docs/semantics.md, Exports)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from movieql.domain.folding import OfferSummary
from movieql.domain.matching import Identified, Identities, match_listings
from movieql.domain.movies import Description, Listing, ListingKey, Profile, Row
from movieql.domain.observations import Milliseconds, Window


@dataclass(frozen=True, slots=True)
class ExportRow:
    """An offer in a window, and the movie it is of.

    `title` and `year` are the movie's, as the configured priority decides. `cheapest`: no other
    row of the movie has a lower price. `stale`: when the window ended, the last sight of the
    price, or of an offer without one, was old.
    """

    movie_id: str
    title: str | None
    year: int | None
    offer: OfferSummary
    currency: str
    cheapest: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class RowRules:
    """What rows are made by: `profiles` of all selling providers, and the `asked` ones' ids.

    A price not seen in the last `stale_ms` of the window is stale.
    """

    profiles: Mapping[str, Profile]
    asked: Collection[str]
    window: Window
    stale_ms: Milliseconds

    @property
    def imdb_providers(self) -> frozenset[str]:
        """Return the ids of the providers whose own ids end in IMDb's digits."""
        return frozenset(each.id for each in self.profiles.values() if each.imdb_ids)


def export_rows(summaries: Iterable[OfferSummary], rules: RowRules) -> Iterator[ExportRow]:
    """Return the rows of these offers, by movie; all that may be one movie are among them.

    Ids come from everything that was observed, so they do not depend on who is asked for.
    """
    by_key = {each.key: each for each in summaries if each.provider in rules.profiles}
    matches = match_listings(map(_listing, by_key.values()), rules.imdb_providers)
    movies = Identities(entries_max=4 * len(by_key) + 1).identify(matches)
    for movie in sorted(movies, key=lambda each: each.id):
        yield from _movie_rows(movie, by_key, rules)


def _listing(summary: OfferSummary) -> Listing:
    description = Description(title=summary.title, year=summary.year)
    return Listing(summary.provider, Row(summary.provider_movie_id, description))


def _movie_rows(
    movie: Identified, by_key: Mapping[ListingKey, OfferSummary], rules: RowRules
) -> Iterator[ExportRow]:
    offers = sorted(
        (by_key[listing.key] for listing in movie.listings),
        key=lambda offer: (rules.profiles[offer.provider].priority, offer.key),
    )
    title = next((each.title for each in offers if each.title), None)
    year = next((each.year for each in offers if each.year is not None), None)
    asked = [each for each in offers if each.provider in rules.asked]
    lowest = _lowest(asked)
    for offer in asked:
        yield ExportRow(
            movie_id=movie.id,
            title=title,
            year=year,
            offer=offer,
            currency=rules.profiles[offer.provider].currency or "",
            cheapest=lowest is not None and offer.price == lowest,
            stale=_is_stale(offer, rules),
        )


def _lowest(offers: Sequence[OfferSummary]) -> Decimal | None:
    return min((each.price for each in offers if each.price is not None), default=None)


def _is_stale(offer: OfferSummary, rules: RowRules) -> bool:
    seen_ms = offer.last_ms if offer.price_ms is None else offer.price_ms
    return seen_ms < rules.window.until_ms - rules.stale_ms

"""One movie out of what every provider says of it: fields, offers, the cheapest, the reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from movieql.domain.movies import (
    DESCRIPTIVE_FIELDS,
    Answer,
    Cheapest,
    Description,
    Listing,
    ListingKey,
    Money,
    Movie,
    Offer,
    Profile,
    Row,
    SourceError,
    SourceErrorCode,
    SourceReport,
    SourceStatus,
    worst,
)
from movieql.domain.titles import near_key, search_text, sort_key


class ListedMovie:
    """Listings that are one movie, in the order in which their descriptive fields win.

    `near_duplicate`: another movie may be meant as this one, so nothing of it is final. `also`:
    near keys and years of what its contradicted listings may mean instead.
    `values`: the merged movie by what it was merged from, for whoever merges it.
    """

    __slots__ = (
        "aliases", "also", "id", "listings", "near_duplicate", "near_key", "providers",
        "search_text", "sort_key", "title", "values", "year", "years",
    )  # fmt: skip

    def __init__(
        self,
        movie_id: str,
        aliases: frozenset[str],
        listings: Sequence[Listing],
        *,
        near_duplicate: bool = False,
    ) -> None:
        self.id = movie_id
        self.aliases = aliases
        self.listings = tuple(listings)
        self.near_duplicate = near_duplicate
        self.title = self.year = None
        years = []
        also: set[tuple[str, int | None]] = set()
        for listing in listings:
            description = listing.row.description
            self.title = self.title or description.title or None
            if description.year is not None:
                years.append(description.year)
            also.update((near_key(title), year) for title, year in listing.row.also if title)
        self.also = frozenset(also)
        self.year = years[0] if years else None
        self.years = frozenset(years)
        self.providers = frozenset([listing.provider for listing in listings])
        self.sort_key = None if self.title is None else sort_key(self.title)
        self.search_text = "" if self.title is None else search_text(self.title)
        self.near_key = None if self.title is None else near_key(self.title)
        self.values: dict[Any, tuple[Any, Movie]] = {}

    def restricted_to(self, providers: frozenset[str]) -> "ListedMovie | None":
        """Return the movie as only these providers list it, None when they do not."""
        if self.providers <= providers:
            return self
        listings = [each for each in self.listings if each.provider in providers]
        if not listings:
            return None
        return ListedMovie(self.id, self.aliases, listings, near_duplicate=self.near_duplicate)

    def amount(
        self, profiles: Mapping[str, Profile], details: Mapping[ListingKey, Row]
    ) -> Decimal | None:
        """Return the lowest price that is known, whatever its age; None when none is."""
        amounts = []
        for listing in self.listings:
            profile = profiles[listing.provider]
            row = details.get(listing.key) if "price" in profile.detail_fields else listing.row
            if profile.sells and row is not None and row.amount is not None:
                amounts.append(row.amount)
        return min(amounts, default=None)

    def genres(self, details: Mapping[ListingKey, Row]) -> frozenset[str]:
        """Return the movie's genres in lower case, as far as they are known."""
        for listing in self.listings:
            for row in (listing.row, details.get(listing.key)):
                if row is not None and row.description.genres:
                    return frozenset(each.casefold() for each in row.description.genres)
        return frozenset()


_NO_DETAIL = SourceError(
    SourceErrorCode.BAD_RESPONSE,
    "The provider lists this movie but has no detail of it.",
    retryable=False,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that providers answered to one question.

    `profiles` in order of configuration. `shelves` has the list answer of every provider asked;
    a provider that is not in it was left out by the caller. `details` has the answers to the
    detail calls that the question needed, and no others. `at_once`: they were asked for beside
    the lists, and not after them.
    """

    profiles: Sequence[Profile]
    shelves: Mapping[str, Answer]
    details: dict[ListingKey, Answer]
    at_once: bool = False

    @property
    def fresh_until_s(self) -> float:
        """Return the monotonic second at which the first of the answers stops being fresh."""
        answers = (*self.shelves.values(), *self.details.values())
        return min((answer.fresh_until_s for answer in answers), default=0.0)

    @property
    def renew_s(self) -> float:
        """Return the monotonic second from which one of the answers is refreshed ahead."""
        answers = (*self.shelves.values(), *self.details.values())
        return min((answer.renew_s for answer in answers), default=0.0)

    def sources(self, keys: Sequence[ListingKey]) -> tuple[SourceReport, ...]:
        """Return a report per configured provider, over its list and the details of `keys`."""
        details: dict[str, list[SourceReport]] = {}
        for key in keys:
            if key in self.details:
                details.setdefault(key[0], []).append(self.details[key].report(key[0]))
        return tuple(
            self._source(profile.id, details.get(profile.id, [])) for profile in self.profiles
        )

    def _source(self, provider: str, details: Sequence[SourceReport]) -> SourceReport:
        if provider not in self.shelves:
            return SourceReport(provider, SourceStatus.SKIPPED)
        shelf = self.shelves[provider].report(provider)
        if not details:
            return shelf
        waits_ms = (shelf.latency_ms, max(each.latency_ms for each in details))
        waited_ms = max(waits_ms) if self.at_once else sum(waits_ms)
        return replace(worst((shelf, *details)), latency_ms=waited_ms)


_CONTRADICTED = SourceError(
    SourceErrorCode.BAD_RESPONSE,
    "The provider lists this movie more than once, with different entries; the lowest counts.",
    retryable=False,
)


def merge_movie(movie: ListedMovie, evidence: Evidence) -> Movie:
    """Merge the listings of a movie.

    Descriptive fields come from the first listing that has them, a provider's list before its
    own detail, so that what a movie is called does not depend on which details were needed.
    Nothing is final of a movie that has a near-duplicate.
    """
    profiles = {profile.id: profile for profile in evidence.profiles}
    offers = tuple(
        _offer(profiles[listing.provider], listing, evidence)
        for listing in movie.listings
        if profiles[listing.provider].sells
    )
    final = not movie.near_duplicate and _nobody_can_undercut(offers, evidence)
    return Movie(
        id=movie.id,
        offers=offers,
        cheapest=_cheapest(offers, final=final),
        sources=evidence.sources([listing.key for listing in movie.listings]),
        **_described([_detailed(listing, evidence) for listing in movie.listings]),
    )


def _detailed(listing: Listing, evidence: Evidence) -> tuple[Description, ...]:
    detail = _detail_row(evidence.details.get(listing.key))
    own = listing.row.description
    return (own,) if detail is None else (own, detail.description)


def _detail_row(answer: Answer | None) -> Row | None:
    return answer.rows[0] if answer is not None and answer.rows else None


def _described(by_listing: Sequence[tuple[Description, ...]]) -> dict[str, Any]:
    in_order = [description for descriptions in by_listing for description in descriptions]
    chosen: dict[str, Any] = {}
    for name in DESCRIPTIVE_FIELDS:
        for description in in_order:
            value = getattr(description, name)
            if value is not None and value != ():
                chosen[name] = value
                break
    chosen["posters"] = tuple(dict.fromkeys(each.poster for each in in_order if each.poster))
    return chosen


def _offer(profile: Profile, listing: Listing, evidence: Evidence) -> Offer:
    answer: Answer | None = evidence.shelves.get(profile.id)
    row: Row | None = listing.row
    if "price" in profile.detail_fields:
        answer = evidence.details.get(listing.key)
        row = _detail_row(answer)
    own_id = listing.row.provider_movie_id
    if answer is not None and answer.rows is None:  # a list that is half taken in is no answer
        row = None
    if answer is None:  # the question needs no price
        return Offer(profile.id, own_id)
    price = None
    if row is not None and row.amount is not None and profile.currency is not None:
        price = Money(row.amount, profile.currency)
    return Offer(
        provider=profile.id,
        provider_movie_id=own_id,
        price=price,
        as_of=answer.as_of,
        stale=answer.rows is not None and not answer.fresh,
        error=answer.error if answer.rows is None else answer.error or _doubt(listing, row, price),
    )


def _doubt(listing: Listing, row: Row | None, price: Money | None) -> SourceError | None:
    if price is None:
        return _why_no_price(row)
    is_contradicted = listing.row.contradicted or (row is not None and row.contradicted)
    return _CONTRADICTED if is_contradicted else None


def _why_no_price(row: Row | None) -> SourceError:
    if row is None:
        return _NO_DETAIL
    return SourceError(
        SourceErrorCode.BAD_RESPONSE,
        row.price_problem or "The provider sent no price.",
        retryable=False,
    )


def _cheapest(offers: Sequence[Offer], *, final: bool) -> Cheapest:
    priced = sorted(
        ((offer.price, offer) for offer in offers if offer.price is not None),
        key=lambda pair: pair[0],
    )
    return Cheapest(
        offer=priced[0][1] if priced else None,
        final=final,
        saving=priced[1][0] - priced[0][0] if len(priced) > 1 else None,
    )


def _nobody_can_undercut(offers: Sequence[Offer], evidence: Evidence) -> bool:
    """Return whether every shop that lists or may list the movie gave a fresh, undoubted price.

    A shop not asked, or whose list is old or missing, may list it (docs/semantics.md, Answers).
    """
    shelves = [evidence.shelves.get(each.id) for each in evidence.profiles if each.sells]
    return all(shelf is not None and shelf.fresh for shelf in shelves) and all(
        offer.price is not None and not offer.stale and offer.error is None for offer in offers
    )


def shell(movie_id: str, description: Description, evidence: Evidence) -> Movie:
    """Return a movie that nobody lists, as far as is known."""
    return Movie(
        id=movie_id,
        offers=(),
        cheapest=_cheapest((), final=_nobody_can_undercut((), evidence)),
        sources=evidence.sources(()),
        **_described([(description,)]),
    )

import pytest

from movieql.domain.errors import (
    BadInputError,
    CacheError,
    IncompleteSourcesError,
    MovieqlError,
    SettingsError,
)
from movieql.domain.movies import SourceReport, SourceStatus

ALL = [MovieqlError, BadInputError, IncompleteSourcesError, CacheError, SettingsError]


@pytest.mark.parametrize("kind", ALL)
def test_an_error_without_words_of_its_own_says_what_it_is(kind: type[MovieqlError]) -> None:
    assert str(kind()) == kind.__doc__
    assert str(kind("The cache is full.")) == "The cache is full."


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_caught_as_an_error_of_movieql(kind: type[MovieqlError]) -> None:
    with pytest.raises(MovieqlError):
        raise kind


def test_the_callers_faults_have_codes_and_ours_are_internal() -> None:
    assert BadInputError.code == "BAD_USER_INPUT"
    assert IncompleteSourcesError.code == "INCOMPLETE_SOURCES"
    assert {MovieqlError.code, CacheError.code, SettingsError.code} == {"INTERNAL"}


def test_a_gap_carries_what_every_provider_did() -> None:
    sources = (SourceReport("cinemaworld", SourceStatus.FAILED),)
    assert IncompleteSourcesError.of(sources).sources == sources
    assert not IncompleteSourcesError().sources

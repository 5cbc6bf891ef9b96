"""REST for curl over the house catalogue: thin, every decision is the catalogue service's."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from movieql.domain.callers import require
from movieql.domain.catalogue import CatalogueEntry, CatalogueFile
from movieql.domain.catalogue_fields import field_of, is_readable
from movieql.domain.errors import CatalogueConflictError
from movieql.services.catalogue_writes import SUPERSEDED, Written
from movieql.web.admission import REQUEST_COST, Admission
from movieql.web.caching import matches
from movieql.web.files import FILES, Files
from movieql.web.login import LOGIN, LoginDoor
from movieql.web.openapi import ETAG, OPENAPI, description
from movieql.web.resources import (
    NOT_FOUND,
    BodyLimits,
    Resource,
    RestError,
    etag_header,
    json_object,
    json_response,
    parameters,
)

MOVIES = "/api/movies"
QUERY = "/api/movies/query"
MOVIE = "/api/movies/{name:path}/{year}"
"""A name may have slashes, encoded or not: what stands before the last one is the name."""

NO_CATALOGUE = "This server keeps no catalogue of its own."
NO_LOGIN = (
    "This server has no login of its own: bring a token of the issuer that it trusts, "
    "or set MOVIEQL_LOGIN_USERS_FILE."
)
NO_FILES = "This server hands out no files: links to them lead to the object store itself."

_YEAR = re.compile(r"0|-?[1-9][0-9]{0,8}", re.ASCII)
_ETAG = re.compile(ETAG)
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # what servers make of bytes that are not UTF-8


class Catalogue(Protocol):
    """The service behind the routes; `services.catalogue.Catalogue` is one and says more."""

    async def read(self) -> CatalogueFile:
        """Return the file."""
        ...

    async def query(
        self, name: str | None, year: int | None
    ) -> tuple[CatalogueFile, Sequence[CatalogueEntry]]:
        """Return the file, and its movies of that name and year."""
        ...

    async def upsert(
        self,
        name: str,
        year: int,
        fields: Mapping[str, Any],
        *,
        if_version: str | None = None,
        if_file: str | None = None,
        allow_near_duplicate: bool = False,
    ) -> Written:
        """Create or change a movie, if this is its version, or the file's."""
        ...

    async def delete(
        self, name: str, year: int, *, if_version: str | None = None, if_file: str | None = None
    ) -> Written:
        """Delete a movie, if this is its version, or the file's."""
        ...


class Movies:
    """The routes of the catalogue."""

    def __init__(self, catalogue: Catalogue, admission: Admission, limits: BodyLimits) -> None:
        self._catalogue = catalogue
        self._admission = admission
        self._limits = limits

    async def everything(self, request: Request) -> Response:
        """Answer with every movie, as the file has them."""
        await self._admission.admitted(request.scope, REQUEST_COST)
        parameters(request)
        file = await self._catalogue.read()
        return _listed(request, file, file.entries)

    async def found(self, request: Request) -> Response:
        """Answer with the movies of a name, of a year, or of both; 404 when there are none."""
        await self._admission.admitted(request.scope, REQUEST_COST)
        asked = parameters(request, {"name", "year"})
        year = _year(asked["year"]) if "year" in asked else None
        file, entries = await self._catalogue.query(asked.get("name"), year)
        if asked and not entries:
            raise RestError(404, "No movies found matching the query", NOT_FOUND)
        return _listed(request, file, entries)

    async def put(self, request: Request) -> Response:
        """Create a movie or change fields of one.

        The address names the movie exactly, so a near-duplicate is not asked about.
        """
        name, year = await self._target(request)
        fields = await json_object(request, self._limits)
        upsert = partial(self._catalogue.upsert, name, year, fields, allow_near_duplicate=True)
        written = await self._written(request, name, year, upsert)
        message = f"Movie {'created' if written.created else 'updated'} successfully"
        movie = None if written.entry is None else _shown(written.entry)
        return json_response(
            {"message": message, "movie": movie},
            201 if written.created else 200,
            _headers(written),
        )

    async def delete(self, request: Request) -> Response:
        """Delete a movie; 404 when there is none."""
        name, year = await self._target(request)
        delete = partial(self._catalogue.delete, name, year)
        written = await self._written(request, name, year, delete)
        if written.entry is None:
            raise RestError(404, f"No movie {name} of {year} is there.", NOT_FOUND)
        return Response(status_code=204, headers=_headers(written))

    async def _target(self, request: Request) -> tuple[str, int]:
        """Return which movie is to be written, by whoever may do so."""
        admitted = await self._admission.admitted(request.scope, REQUEST_COST)
        require(admitted.caller, "movies:write")
        parameters(request)
        if "if-none-match" in request.headers:
            raise RestError(400, "A write takes `If-Match`; `If-None-Match` is for reads.")
        name = request.path_params["name"]
        if _UNREADABLE in name:
            raise RestError(400, "The name in the path must be percent-encoded UTF-8.")
        return name, _year(request.path_params["year"])

    async def _written(
        self, request: Request, name: str, year: int, write: Callable[..., Awaitable[Written]]
    ) -> Written:
        """Write on the condition that the request names. Raises CatalogueConflictError."""
        if "if-match" not in request.headers:
            return await write()
        given = ",".join(request.headers.getlist("if-match")).strip()
        if given != "*":
            return await write(if_file=_one_etag(given))
        file, entries = await self._catalogue.query(name, year)
        if not entries:
            raise CatalogueConflictError.at(file.etag)
        try:
            return await write(if_version=entries[0].version)
        except CatalogueConflictError as error:  # it has the movie's version, not the file's
            raise CatalogueConflictError.at((await self._catalogue.read()).etag) from error


def rest_routes(note_fault: Callable[[BaseException], None]) -> list[Route]:
    """Return the routes. What they need is in `app.state`, or None where it is not set up.

    `movies`: `Movies`; `login`: `LoginDoor`; `files`: `Files`; and `admission`: `Admission`.
    """
    described = json_response(description(), 200, {})

    async def openapi(admission: Admission, request: Request) -> Response:
        await admission.count(request.scope)
        return described

    async def download(files: Files, request: Request) -> Response:
        await request.app.state.admission.count(request.scope)
        return await files.download(request)

    movies = {"GET": Movies.everything}
    query = {"GET": Movies.found}
    movie = {"PUT": Movies.put, "DELETE": Movies.delete}
    login = {"POST": LoginDoor.login}
    files = {"GET": download}
    return [
        Route(MOVIES, Resource("movies", movies, NO_CATALOGUE, note_fault)),
        Route(QUERY, Resource("movies", query, NO_CATALOGUE, note_fault)),
        Route(MOVIE, Resource("movies", movie, NO_CATALOGUE, note_fault)),
        Route(LOGIN, Resource("login", login, NO_LOGIN, note_fault)),
        Route(FILES, Resource("files", files, NO_FILES, note_fault)),
        Route(OPENAPI, Resource("admission", {"GET": openapi}, "", note_fault)),
    ]


def _year(text: str) -> int:
    if not _YEAR.fullmatch(text):
        raise RestError(400, "A year is a whole number, such as 1977.", path=("year",))
    return int(text)


def _one_etag(if_match: str) -> str:
    found = _ETAG.fullmatch(if_match)
    if found is None:
        raise RestError(
            400,
            "`If-Match` takes one ETag as it was sent, in double quotes and without `W/`, or `*`.",
        )
    return found[1]


def _listed(request: Request, file: CatalogueFile, entries: Sequence[CatalogueEntry]) -> Response:
    version = etag_header(file.etag)
    headers = {**version, "Cache-Control": "no-cache"}
    known = ",".join(request.headers.getlist("if-none-match")).encode("latin-1")
    if known and version and matches(known, version["ETag"].encode()):
        return Response(status_code=304, headers=headers)
    return json_response([_shown(entry) for entry in entries], 200, headers)


def _shown(entry: CatalogueEntry) -> dict[str, Any]:
    """Return an entry as the file has it, but for posters that are no address of the web."""
    return {"name": entry.name, "year": entry.year, **_without_bad_posters(entry.fields)}


def _without_bad_posters(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_bad_posters(each)
            for key, each in value.items()
            if field_of(key) != "poster" or is_readable(key, each)
        }
    if isinstance(value, (list, tuple)):
        return [_without_bad_posters(each) for each in value]
    return value


def _headers(written: Written) -> dict[str, str]:
    etag = None if written.etag in {"", SUPERSEDED} else written.etag
    return {"Cache-Control": "no-store", **etag_header(etag)}

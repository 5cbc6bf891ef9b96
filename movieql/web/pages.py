"""Pages for browsers, from what `make client` built; no other host is ever asked."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Match, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from movieql.web.bodies import names_html
from movieql.web.graphql import SAFE_METHODS
from movieql.web.resources import refused

STATIC_FOLDER = Path(__file__).parent / "static"
"""Where the client's build lies."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; "
    # GraphiQL's editor places its lines by style attributes, and colours them by style elements.
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: https: http:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What a page of ours may load: only from this server, and images from shops."""

CLIENT_PAGE = "index.html"
"""The file of the pages for people; which of them is shown, the address decides."""

CLIENT_PATHS = ("/", "/exports", "/catalogue", "/catalogue/{id}")
"""Their addresses but those of movies: `ROUTES` of the client (`client/src/app/routes.ts`)."""

MOVIE_PATH = "/movie/{id}"
"""The address of a movie's page; its status says whether there is such a movie."""

STATUS_WAIT_S = 0.5
"""Longest wait for shops before a movie's page is sent, where its id was never seen.

Longer than a healthy shop takes to list its movies, shorter than a person minds.
"""

IsMissing = Callable[[str], Awaitable[bool]]
"""Returns whether it is certain that there is no movie of an id, after `STATUS_WAIT_S` at most."""

CLIENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The same for the page for customers, which needs nothing inline."""


class Pages:
    """Hands out the built pages; says how to build them when they are not there."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        self._folder = folder

    async def graphiql(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with GraphiQL; an ASGI app."""
        response = self._page("graphiql.html", "GraphiQL", "POST", CONTENT_SECURITY_POLICY)
        await response(scope, receive, send)

    @property
    def routes(self) -> list[Route]:
        """Return the routes of all pages for people; the app's state has an `is_missing`."""
        routes: list[Route] = [PageRoute(path, self._client) for path in CLIENT_PATHS]
        return [*routes, PageRoute(MOVIE_PATH, self._movie)]

    async def refused(self, request: Request, error: Exception) -> Response:
        """Answer what routing refuses: an address that is none of ours has a page, too."""
        method = request.scope.get("method")  # a WebSocket's handshake has none
        is_opened = method in SAFE_METHODS and names_html(request.headers.getlist("accept"))
        is_unknown = isinstance(error, HTTPException) and error.status_code == 404  # noqa: PLR2004  # HTTP's
        if is_opened and is_unknown and (self._folder / CLIENT_PAGE).is_file():
            return self._client_page(404)
        response = await refused(request, error)
        response.headers.add_vary_header("Accept")
        return response

    async def _client(self, _: Request) -> Response:
        return self._client_page(200)

    async def _movie(self, request: Request) -> Response:
        """Answer 404 only if it is certain: an outage of a shop is none of the movie's."""
        is_missing: IsMissing = request.app.state.is_missing
        try:
            movie_id = unquote_to_bytes(request.path_params["id"]).decode()
        except UnicodeDecodeError:
            raise HTTPException(404) from None
        if await is_missing(movie_id):
            raise HTTPException(404)
        return self._client_page(200)

    def _client_page(self, status: int) -> Response:
        return self._page(CLIENT_PAGE, "The client", "/graphql", CLIENT_POLICY, status)

    def _page(
        self, file: str, name: str, without: str, policy: str, status: int = 200
    ) -> Response:
        page = self._folder / file
        if not page.is_file():
            return PlainTextResponse(
                f"{name} is not built yet: run `make client`, then reload. "
                f"{without} works without it.\n",
                status_code=503,
            )
        return WholeFile(
            page,
            status,
            headers={
                # What there is not may be there soon.
                "Cache-Control": "no-cache" if status == 200 else "no-store",  # noqa: PLR2004  # HTTP's
                "Content-Security-Policy": policy,
                "Vary": "Accept",
                **_NO_RANGES,
            },
        )

    def assets(self) -> "CachedFiles":
        """Return the app that serves the files of the pages."""
        return CachedFiles(directory=self._folder, check_dir=False)


class PageRoute(Route):
    """A route that reads a path as it was sent: an encoded slash is a part of an id.

    A part of the path in `path_params` is still encoded.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See `Route`; `raw_path` is what ASGI calls the path as it was sent."""
        raw = scope.get("raw_path")  # servers may leave it out
        path = quote(scope["path"]) if raw is None else raw.decode("latin-1")
        return super().matches({**scope, "path": path})


class WholeFile(FileResponse):
    """A file that is sent whole: `Range` may be ignored (RFC 9110 §14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `FileResponse`."""
        await super().__call__(_without_range(scope), receive, send)


class CachedFiles(StaticFiles):
    """Files whose names carry a hash of their content are kept by browsers for a year.

    They are sent whole, as pages are.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `StaticFiles`."""
        await super().__call__(_without_range(scope), receive, send)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """See `StaticFiles`; workers take their policy from their own response."""
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if hashed else "no-cache"
        )
        response.headers["Content-Security-Policy"] = (
            CLIENT_POLICY if path == CLIENT_PAGE else CONTENT_SECURITY_POLICY
        )
        response.headers.update(_NO_RANGES)
        return response


_NO_RANGES = {"Accept-Ranges": "none"}


def _without_range(scope: Scope) -> Scope:
    headers = [each for each in scope["headers"] if each[0] != b"range"]
    return {**scope, "headers": headers}

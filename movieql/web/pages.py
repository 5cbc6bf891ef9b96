"""Pages for browsers, from what `make client` built; no other host is ever asked."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

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

CLIENT_PATHS = ("/", "/movie/{id}", "/exports", "/catalogue", "/catalogue/{id}")
"""Their addresses: `ROUTES` of the client (`client/src/app/routes.ts`)."""

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

    async def client(self, _: Request) -> Response:
        """Answer with the page for customers; a request handler."""
        return self._page(CLIENT_PAGE, "The client", "/graphql", CLIENT_POLICY)

    def _page(self, file: str, name: str, without: str, policy: str) -> Response:
        page = self._folder / file
        if not page.is_file():
            return PlainTextResponse(
                f"{name} is not built yet: run `make client`, then reload. "
                f"{without} works without it.\n",
                status_code=503,
            )
        return FileResponse(
            page,
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": policy,
                "Vary": "Accept",
            },
        )

    def assets(self) -> "CachedFiles":
        """Return the app that serves the files of the pages."""
        return CachedFiles(directory=self._folder, check_dir=False)


class CachedFiles(StaticFiles):
    """Files whose names carry a hash of their content are kept by browsers for a year."""

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
        return response

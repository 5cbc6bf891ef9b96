"""The OpenAPI 3.1 description of the REST routes, as `GET /api/openapi.json` gives it."""

from collections.abc import Mapping
from typing import Any

from movieql.domain.catalogue_input import InputLimits
from movieql.domain.fields import YEARS
from movieql.web.bodies import JSON
from movieql.web.resources import REST_CODES

OPENAPI = "/api/openapi.json"

ETAG = r'"([\x21\x23-\x7e]{1,256})"'
"""An ETag as it was sent, a strong one (RFC 9110 §8.8.3)."""

YEAR_MAX = 999_999_999
"""Largest year that may be asked for, and the same below zero; a smaller one may be in a file."""

_Json = dict[str, Any]

_LIMITS = InputLimits()
_NAME = {"type": "string", "minLength": 1, "maxLength": _LIMITS.name_characters_max}
_NEW_YEAR = {"type": "integer", "minimum": YEARS[0], "maximum": YEARS[-1]}
_YEAR = {"type": "integer", "minimum": -YEAR_MAX, "maximum": YEAR_MAX}
_TEXT = {"type": "string"}
_MEANINGS = {
    304: "Nothing has changed since the ETag in `If-None-Match`.",
    400: "The request is not one that this takes; the sentence says what is.",
    401: "No token, or an invalid one.",
    403: "The token is good and does not allow this.",
    404: "There is no such thing.",
    408: "The body was not here in time.",
    409: "The catalogue is not the version that `If-Match` names; `ETag` says which it is.",
    413: "The body is too large.",
    415: "The body is not said to be JSON in UTF-8, or is encoded; `Accept-Encoding` says how.",
    429: "Too many requests of this caller.",
    500: "A fault of ours; the sentence has an id that is in the log, too.",
    507: "The catalogue is full.",
    503: "A part of the server does not answer now, or the catalogue's file cannot be read.",
}
_ETAG = {"ETag": {"$ref": "#/components/headers/ETag"}}
_HEADERS: Mapping[int, _Json] = {
    304: _ETAG,
    401: {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}},
    409: _ETAG,
    429: {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
    503: {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
}
_READ_REFUSALS = (400, 401, 404, 429, 500, 503)
_WRITE_REFUSALS = (400, 401, 403, 404, 409, 429, 500, 503)
_BODY_REFUSALS = (408, 413, 415)
_BEARER: list[_Json] = [{"bearer": []}]


def description() -> _Json:
    """Return the whole document; 405 belongs to paths and so to no operation of it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "movieql over REST",
            "version": "1",
            "summary": "The house catalogue, for curl; prices are at /graphql.",
            "description": (
                "Every refusal is `{error, code}`. A path's other methods give 405 with `Allow`; "
                "HEAD is GET without its body."
            ),
        },
        "paths": {
            "/api/movies": {"get": _everything()},
            "/api/movies/query": {"get": _found()},
            "/api/movies/{name}/{year}": {
                "parameters": [_path("name", _NAME)],
                "put": _put(),
                "delete": _delete(),
            },
            "/login": {"post": _login()},
            "/files": {"get": _download()},
            OPENAPI: {"get": _openapi()},
        },
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
            "headers": _headers(),
            "schemas": _schemas(),
        },
    }


def _everything() -> _Json:
    return {
        "operationId": "listMovies",
        "summary": "Every movie of the catalogue",
        "security": [{}, *_BEARER],
        "parameters": [_header("If-None-Match", "An ETag that was sent before.")],
        "responses": {"200": _movies(), **_refused(304, *_READ_REFUSALS)},
    }


def _found() -> _Json:
    return {
        "operationId": "queryMovies",
        "summary": "The movies of a name, of a year, or of both; without either, every movie",
        "security": [{}, *_BEARER],
        "parameters": [
            _query("name", _TEXT, "A whole name; capitals do not matter."),
            _query("year", _YEAR, "A year."),
            _header("If-None-Match", "An ETag that was sent before."),
        ],
        "responses": {"200": _movies(), **_refused(304, *_READ_REFUSALS)},
    }


def _put() -> _Json:
    return {
        "operationId": "putMovie",
        "summary": "Create a movie, or change fields of one",
        "description": "Fields that are not sent stay. Needs the scope `movies:write`.",
        "security": _BEARER,
        "parameters": [_path("year", _NEW_YEAR), _if_match()],
        "requestBody": _body("Fields"),
        "responses": {
            "200": _answered("It was there, and is changed.", "Written", _ETAG),
            "201": _answered("It is new.", "Written", _ETAG),
            **_refused(*_WRITE_REFUSALS, *_BODY_REFUSALS, 507),
        },
    }


def _delete() -> _Json:
    return {
        "operationId": "deleteMovie",
        "summary": "Delete a movie",
        "description": "Needs the scope `movies:write`.",
        "security": _BEARER,
        "parameters": [_path("year", _YEAR), _if_match()],
        "responses": {
            "204": {"description": "It is gone.", "headers": _ETAG},
            **_refused(*_WRITE_REFUSALS),
        },
    }


def _login() -> _Json:
    return {
        "operationId": "login",
        "summary": "A token for a name and a password",
        "security": [],
        "requestBody": _body("Credentials"),
        "responses": {
            "200": _answered("The token.", "Token", {}),
            **_refused(400, 401, 404, *_BODY_REFUSALS, 429, 500),
        },
    }


def _download() -> _Json:
    names = ("key", "expires", "filename", "type", "signature")
    return {
        "operationId": "download",
        "summary": "A file, by a signed link; links are made by the server and not by hand",
        "security": [],
        "parameters": [
            _query(name, _TEXT, "A part of the link.", required=True) for name in names
        ],
        "responses": {
            "200": {
                "description": "The file, to be saved.",
                "headers": {"Content-Disposition": {"schema": _TEXT}},
                "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
            },
            **_refused(400, 403, 404, 500, 503),
        },
    }


def _openapi() -> _Json:
    return {
        "operationId": "describe",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {
                "description": "OpenAPI 3.1.",
                "content": {JSON: {"schema": {"type": "object"}}},
            }
        },
    }


def _schemas() -> _Json:
    fields = {"director": _TEXT, "genre": _TEXT}
    movie = {"name": {"type": "string", "minLength": 1}, "year": {"type": "integer"}, **fields}
    return {
        "Movie": _object(movie, "name", "year") | {"additionalProperties": True},
        "Fields": _object(fields)
        | {
            "description": "Whatever is known of the movie; its name and year are in the path.",
            "additionalProperties": True,
        },
        "Written": _object({"message": _TEXT, "movie": _schema("Movie")}, "message", "movie"),
        "Credentials": _object(
            {"username": _TEXT, "password": _TEXT | {"format": "password"}},
            "username",
            "password",
        ),
        "Token": _object(
            {
                "access_token": _TEXT,
                "token_type": {"const": "bearer"},
                "expires_in": {"type": "integer", "description": "Seconds."},
            },
            "access_token",
            "token_type",
            "expires_in",
        ),
        "Error": _object(
            {
                "error": _TEXT | {"description": "A sentence."},
                "code": _TEXT | {"enum": sorted(REST_CODES)},
                "path": {
                    "type": "array",
                    "items": _TEXT,
                    "description": "Where in the body the fault is, when it is there.",
                },
            },
            "error",
            "code",
        ),
    }


def _headers() -> _Json:
    return {
        "ETag": {"description": "The version of the catalogue's file.", "schema": _TEXT},
        "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}},
        "WWW-Authenticate": {"description": "`Bearer`.", "schema": _TEXT},
    }


def _movies() -> _Json:
    return {
        "description": "Movies, in the order of the file.",
        "headers": _ETAG,
        "content": {JSON: {"schema": {"type": "array", "items": _schema("Movie")}}},
    }


def _refused(*statuses: int) -> _Json:
    return {str(status): _refusal(status) for status in statuses}


def _refusal(status: int) -> _Json:
    headers = {"headers": _HEADERS[status]} if status in _HEADERS else {}
    described = {"description": _MEANINGS[status], **headers}
    if status == 304:  # noqa: PLR2004  # HTTP's
        return described
    return {**described, "content": {JSON: {"schema": _schema("Error")}}}


def _answered(meaning: str, schema: str, headers: _Json) -> _Json:
    return {
        "description": meaning,
        "headers": headers,
        "content": {JSON: {"schema": _schema(schema)}},
    }


def _body(schema: str) -> _Json:
    return {"required": True, "content": {JSON: {"schema": _schema(schema)}}}


def _schema(name: str) -> _Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: _Json, *required: str) -> _Json:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **needed}


def _if_match() -> _Json:
    return _header(
        "If-Match",
        "Write only if the file has this ETag; `*`: only if the movie is there.",
        _TEXT | {"pattern": rf"^(\*|{ETAG})$"},
    )


def _header(name: str, meaning: str, schema: _Json = _TEXT) -> _Json:
    return {"name": name, "in": "header", "description": meaning, "schema": schema}


def _query(name: str, schema: _Json, meaning: str, *, required: bool = False) -> _Json:
    return {
        "name": name,
        "in": "query",
        "description": meaning,
        "required": required,
        "schema": schema,
    }


def _path(name: str, schema: _Json) -> _Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}

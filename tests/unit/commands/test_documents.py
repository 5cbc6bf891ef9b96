"""What the commands send fits the schema."""

import pytest
from graphql import build_schema as build_from_text
from graphql import parse, validate

from movieql.commands import documents
from tests.servers import ROOT


@pytest.mark.parametrize("name", ["REQUEST_EXPORT", "EXPORT", "EXPORTS"])
def test_every_document_fits_the_schema(name: str) -> None:
    schema = build_from_text((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
    assert validate(schema, parse(getattr(documents, name))) == []

import hashlib

import pytest

from movieql.api.persisted import PersistedDocuments
from movieql.domain.errors import BadInputError, PersistedQueryNotFoundError
from movieql.memory import MemoryCache, VirtualClock
from tests.unit.api.asking import Api

QUERY = "{ providers { id } }"


def hash_of(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


async def test_a_hash_is_known_once_its_document_was_sent_along() -> None:
    api = Api()
    missed = (await api.run(None, sha256=hash_of(QUERY))).body
    assert missed["errors"] == [
        {
            "message": "PersistedQueryNotFound",
            "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
        }
    ]
    sent = (await api.run(QUERY, sha256=hash_of(QUERY))).body
    found = (await api.run(None, sha256=hash_of(QUERY))).body
    assert found == sent
    assert "errors" not in found


async def test_a_hash_of_another_document_is_refused_and_not_learnt() -> None:
    api = Api()
    body = (await api.run(QUERY, sha256="0" * 64)).body
    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    missed = (await api.run(None, sha256="0" * 64)).body
    assert missed["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_document_that_is_not_valid_is_not_learnt() -> None:
    api = Api()
    await api.run("{ nope }", sha256=hash_of("{ nope }"))
    missed = (await api.run(None, sha256=hash_of("{ nope }"))).body
    assert missed["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_the_longest_unused_document_is_forgotten_first() -> None:
    clock = VirtualClock()
    cache = MemoryCache(clock)
    cache.broken = True
    documents = PersistedDocuments(cache, documents_max=2)
    for query in ("{ a }", "{ b }"):
        await documents.register(hash_of(query), query)
    await documents.find(hash_of("{ a }"))
    await documents.register(hash_of("{ c }"), "{ c }")
    assert await documents.find(hash_of("{ a }")) == "{ a }"
    with pytest.raises(PersistedQueryNotFoundError):
        await documents.find(hash_of("{ b }"))


async def test_replicas_share_what_was_sent_to_one() -> None:
    cache = MemoryCache(VirtualClock())
    await PersistedDocuments(cache, 10).register(hash_of(QUERY), QUERY)
    assert await PersistedDocuments(cache, 10).find(hash_of(QUERY)) == QUERY


async def test_a_hash_must_be_the_documents() -> None:
    with pytest.raises(BadInputError, match="sha256Hash"):
        await PersistedDocuments(MemoryCache(VirtualClock()), 10).register("0" * 64, QUERY)

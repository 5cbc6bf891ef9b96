import hashlib

from movieql.api.engine import Engine
from movieql.api.persisted import PersistedDocuments
from tests.unit.api.asking import Api, executor

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


async def test_a_document_that_was_sent_without_a_hash_is_known_by_it_all_the_same() -> None:
    api = Api()
    api.cache.broken = True
    sent = await api.ask(QUERY)
    assert (await api.run(None, sha256=hash_of(QUERY))).body == sent


async def test_replicas_share_what_was_sent_to_one() -> None:
    first, second = Api(), Api()
    second.engine = Engine(executor(), PersistedDocuments(first.cache), second.faults.append)
    await first.run(QUERY, sha256=hash_of(QUERY))
    assert (await second.run(None, sha256=hash_of(QUERY))).body == await first.ask(QUERY)


async def test_a_cached_text_that_does_not_match_its_hash_is_ignored() -> None:
    api = Api()
    await api.cache.put(f"movieql:document:{hash_of(QUERY)}", b"{ __typename }", 60.0)
    assert "data" not in (await api.run(None, sha256=hash_of(QUERY))).body


async def test_a_cache_that_fails_is_asked_to_keep_the_document_the_next_time() -> None:
    api = Api()
    api.cache.broken = True
    await api.run(QUERY, sha256=hash_of(QUERY))
    api.cache.broken = False
    await api.run(QUERY, sha256=hash_of(QUERY))
    assert await PersistedDocuments(api.cache).find(hash_of(QUERY)) == QUERY

import asyncio
import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.domain.errors import RateLimitedError
from movieql.web.socket_messages import ClientMessage, SocketClosedError, read
from tests.unit.web.socket_world import TOKENS_S, Peer, World

WAITS = "subscription { wait }"
STUBBORN = "subscription { stubborn }"


def following(own_id: str, **data: Any) -> dict[str, Any]:
    return {"id": own_id, "type": "next", "payload": {"data": data}}


def completed(own_id: str) -> dict[str, Any]:
    return {"id": own_id, "type": "complete"}


def code_of(message: dict[str, Any]) -> str:
    assert message["type"] == "error"
    (error,) = message["payload"]
    code: str = error["extensions"]["code"]
    return code


# Operations


async def test_a_query_is_answered_once() -> None:
    peer = await World().greeted()
    assert await peer.subscribe("{ hello }") == [following("1", hello="hello"), completed("1")]


async def test_a_subscription_is_answered_as_often_as_it_has_an_event() -> None:
    peer = await World().greeted()
    query = "subscription ($to: Int!) { count(to: $to) }"
    assert await peer.subscribe(query, variables={"to": 3}) == [
        *(following("1", count=number) for number in (1, 2, 3)),
        completed("1"),
    ]


async def test_a_slow_mutation_holds_nothing_else_up() -> None:
    world = World()
    peer = await world.greeted()
    assert await peer.subscribe("mutation { slow }", "slow") == []
    assert await peer.subscribe("{ hello }", "quick") == [
        following("quick", hello="hello"),
        completed("quick"),
    ]
    world.gate.set()
    assert await peer.heard() == [following("slow", slow=1), completed("slow")]


async def test_a_client_that_completes_ends_the_source_and_hears_no_more_of_it() -> None:
    world = World()
    peer = await world.greeted()
    assert await peer.subscribe(WAITS) == [following("1", wait=1)]
    assert await peer.say({"id": "1", "type": "complete"}) == []
    assert world.events == ["closed"]
    world.gate.set()
    assert await peer.heard() == []


async def test_a_source_that_never_waits_holds_nothing_up() -> None:
    peer = await World().greeted()
    heard = await peer.subscribe("subscription { count(to: 5000) }")
    assert len(heard) < 5_000
    await peer.say({"id": "1", "type": "complete"})
    assert await peer.subscribe("{ hello }", "2") == [
        following("2", hello="hello"),
        completed("2"),
    ]


async def test_completing_what_has_ended_is_nothing_new() -> None:
    peer = await World().greeted()
    assert await peer.say({"id": "1", "type": "complete"}) == []
    assert peer.closed is None


async def test_an_id_may_be_used_again_once_its_operation_has_ended() -> None:
    peer = await World().greeted()
    for _ in range(2):
        assert len(await peer.subscribe("{ hello }")) == 2
    await peer.subscribe(WAITS)
    again = {"id": "1", "type": "subscribe", "payload": {"query": "{ hello }"}}
    assert await peer.say({"id": "1", "type": "complete"}, again) == [
        following("1", hello="hello"),
        completed("1"),
    ]


async def test_an_id_is_free_as_soon_as_the_client_reads_that_its_operation_has_ended() -> None:
    peer = await World().greeted()
    again = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { wait }"}}

    def at_once(message: dict[str, Any]) -> None:
        if message["type"] == "complete":
            peer.put(again)

    peer.on_message = at_once
    assert (await peer.subscribe("{ hello }"))[-1] == following("1", wait=1)
    assert peer.closed is None


async def test_an_operation_that_is_ended_before_it_began_leaves_nothing_behind() -> None:
    peer = await World().greeted()
    begin = {"id": "1", "type": "subscribe", "payload": {"query": WAITS}}
    assert await peer.say(begin, {"id": "1", "type": "complete"}) == []
    assert peer.closed is None


async def test_a_client_that_leaves_ends_what_it_began() -> None:
    world = World()
    peer = await world.greeted()
    await peer.subscribe(WAITS, "1")
    await peer.subscribe("mutation { slow }", "2")
    await peer.leave()
    assert peer.task.done()
    assert sorted(world.events) == ["began", "closed", "ended"]


async def test_a_document_that_is_wrong_is_an_error_and_not_run() -> None:
    peer = await World().greeted()
    (heard,) = await peer.subscribe("{ nothing }")
    assert code_of(heard) == "GRAPHQL_VALIDATION_FAILED"
    (heard,) = await peer.subscribe("{")
    assert code_of(heard) == "GRAPHQL_PARSE_FAILED"
    assert peer.closed is None


@pytest.mark.parametrize("kind", ["query", "subscription"])
async def test_documents_keep_to_the_limits_of_every_request(kind: str) -> None:
    peer = await World().greeted()
    fields = " ".join(f"a{number}: __typename" for number in range(11))
    (heard,) = await peer.subscribe(f"{kind} {{ {fields} }}")
    assert code_of(heard) == "LIMIT_EXCEEDED"


async def test_two_operations_and_no_name_is_an_error() -> None:
    peer = await World().greeted()
    (heard,) = await peer.subscribe("subscription A { count(to: 1) } subscription B { wait }")
    assert code_of(heard) == "GRAPHQL_VALIDATION_FAILED"


async def test_one_of_several_operations_is_named() -> None:
    peer = await World().greeted()
    query = "query A { hello } subscription B { count(to: 1) }"
    assert len(await peer.subscribe(query, operationName="B")) == 2


async def test_variables_of_a_wrong_kind_are_an_error() -> None:
    peer = await World().greeted()
    query = "subscription ($to: Int!) { count(to: $to) }"
    (heard,) = await peer.subscribe(query, variables={"to": "many"})
    assert code_of(heard) == "GRAPHQL_VALIDATION_FAILED"


async def test_a_fault_of_ours_is_masked_and_told_of() -> None:
    world = World()
    peer = await world.greeted()
    heard, ended = await peer.subscribe("{ fails }")
    assert ended == completed("1")
    assert heard["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(heard)
    assert [str(fault) for fault in world.faults] == ["a secret"]


async def test_a_source_that_breaks_ends_with_a_masked_error() -> None:
    world = World()
    peer = await world.greeted()
    first, heard = await peer.subscribe("subscription { breaks }")
    assert first == following("1", breaks=1)
    assert code_of(heard) == "INTERNAL"
    assert "secret" not in json.dumps(heard)
    assert [str(fault) for fault in world.faults] == ["a secret"]
    assert peer.closed is None


async def test_a_source_may_say_itself_why_it_ends() -> None:
    world = World()
    peer = await world.greeted()
    _, heard = await peer.subscribe("subscription { fades }")
    assert code_of(heard) == "UNAVAILABLE"
    assert world.faults == []


async def test_each_answer_has_a_context_of_its_own_with_the_id_of_its_operation() -> None:
    world = World()
    peer = await world.greeted("Bearer good-ada")
    heard, _ = await peer.subscribe("subscription { requestIds }")
    assert heard["payload"]["data"] == {"requestIds": "connection-1.1"}
    await peer.subscribe("subscription { count(to: 2) }")
    asked = [(request_id, caller and caller.subject) for request_id, caller in world.asked]
    assert set(asked) == {("connection-1.1", "ada"), ("connection-1.2", "ada")}
    # One for the source, and one for each event.
    assert asked.count(("connection-1.2", "ada")) == 3


async def test_a_document_may_be_named_by_its_hash() -> None:
    peer = await World().greeted()
    sha256 = hashlib.sha256(b"{ hello }").hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}
    unknown = {"id": "1", "type": "subscribe", "payload": {"extensions": extensions}}
    (heard,) = await peer.say(unknown)
    assert code_of(heard) == "PERSISTED_QUERY_NOT_FOUND"
    await peer.subscribe("{ hello }", extensions=extensions)
    assert len(await peer.say(unknown)) == 2


async def test_each_operation_is_taken_from_the_callers_budget() -> None:
    world = World()
    named, unnamed = await world.greeted("Bearer good-ada"), await world.greeted()
    await named.subscribe("{ hello }")
    await unnamed.subscribe("{ hello }")
    assert world.spent[2:] == [("subject:ada", 1), ("address:192.0.2.1", 1)]
    world.refuse_spending = RateLimitedError.after(7)
    (heard,) = await unnamed.subscribe("{ hello }")
    assert code_of(heard) == "RATE_LIMITED"
    assert heard["payload"][0]["extensions"]["retryAfterMs"] == 7_000
    assert len(world.asked) == 2


@pytest.mark.parametrize(
    "authorization, key",
    [
        ("Bearer good-ada", "subject:ada"),
        ("Bearer bad", "address:192.0.2.1"),
        (None, "address:192.0.2.1"),
    ],
)
@pytest.mark.parametrize("protocols", [("graphql-transport-ws",), ("graphql-ws",)])
async def test_each_handshake_is_taken_from_the_callers_budget(
    authorization: str | None, key: str, protocols: tuple[str, ...]
) -> None:
    world = World()
    headers = {} if authorization is None else {"authorization": authorization}
    await world.connected(headers=headers, protocols=protocols)
    assert world.spent == [(key, 0)]
    world.refuse_spending = RateLimitedError.after(7)
    peer = await world.connected(headers=headers, protocols=protocols)
    assert peer.refused is not None
    status, body = peer.refused
    assert (status, body["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")


async def test_an_operation_that_costs_too_much_is_not_run() -> None:
    world = World()
    peer = await world.greeted()
    world.refuse_charging = RateLimitedError.after(7)
    (heard,) = await peer.subscribe("mutation { slow }")
    assert code_of(heard) == "RATE_LIMITED"
    assert world.events == []


async def test_a_fault_before_an_answer_is_masked_too() -> None:
    world = World()
    peer = await world.greeted()
    world.refuse_spending = ValueError("a secret")
    (heard,) = await peer.subscribe("{ hello }")
    assert code_of(heard) == "INTERNAL"
    assert heard["payload"][0]["extensions"]["requestId"] == "connection-1.1"
    assert world.faults == [world.refuse_spending]


# Authentication


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_a_token_comes_with_the_first_message(name: str) -> None:
    world = World()
    peer = await world.connected()
    await peer.say({"type": "connection_init", "payload": {name: "Bearer good-ada"}})
    await peer.subscribe("{ hello }")
    (_, caller) = world.asked[0]
    assert caller is not None
    assert caller.subject == "ada"


async def test_the_header_of_the_upgrade_counts_where_the_first_message_has_no_token() -> None:
    world = World()
    headers = {"authorization": "Bearer good-bob"}
    peer = await world.connected(headers=headers)
    await peer.say({"type": "connection_init"})
    other = await world.connected(headers=headers)
    await other.say({"type": "connection_init", "payload": {"authorization": "Bearer good-ada"}})
    await peer.subscribe("{ hello }")
    await other.subscribe("{ hello }")
    assert [caller and caller.subject for _, caller in world.asked] == ["bob", "ada"]


@pytest.mark.parametrize("token", ["Bearer bad", "Basic good-ada", "good-ada", "Bearer é", ""])
async def test_a_bad_token_ends_the_connection_before_anything_is_run(token: str) -> None:
    world = World()
    peer = await world.connected()
    begin = {"id": "1", "type": "subscribe", "payload": {"query": "mutation { slow }"}}
    init = {"type": "connection_init", "payload": {"Authorization": token}}
    assert await peer.say(init, begin) == []
    assert peer.closed is not None
    assert peer.closed[0] == 4403
    assert world.events == []
    assert world.asked == []


async def test_a_token_that_ends_ends_the_connection_and_what_runs() -> None:
    world = World()
    peer = await world.greeted("Bearer good-ada")
    await peer.subscribe(WAITS)
    await world.virtual.advance(TOKENS_S - 1)
    assert peer.closed is None
    await world.virtual.advance(1)
    assert peer.closed == (4403, "Forbidden: the token has expired")
    assert world.events == ["closed"]


# The rules of the protocol


async def test_who_does_not_begin_in_time_is_let_go() -> None:
    world = World()
    peer = await world.connected()
    await world.virtual.advance(2)
    await peer.say({"type": "ping"})  # this is no beginning
    await world.virtual.advance(0.9)
    assert peer.closed is None
    await world.virtual.advance(0.1)
    assert peer.closed == (4408, "Connection initialisation timeout")


async def test_a_verifier_that_hangs_is_not_waited_for() -> None:
    world = World()
    world.verifier.hangs = True
    peer = await world.connected()
    await peer.say({"type": "connection_init", "payload": {"Authorization": "Bearer good-ada"}})
    await world.virtual.advance(3)
    assert peer.closed == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize(
    "messages,code",
    [
        ([{"type": "connection_init"}], 4429),
        ([{"id": "1", "type": "subscribe", "payload": {"query": WAITS}}] * 2, 4409),
        (["{"], 4400),
        (["[]"], 4400),
        (["1"], 4400),
        ([{}], 4400),
        ([{"type": "start"}], 4400),
        ([{"type": ["ping"]}], 4400),
        ([{"type": "complete"}], 4400),
        ([{"id": 1, "type": "complete"}], 4400),
        ([{"id": "", "type": "complete"}], 4400),
        ([{"id": "i" * 129, "type": "complete"}], 4400),
        ([{"id": "1", "type": "subscribe"}], 4400),
        ([{"id": "1", "type": "subscribe", "payload": []}], 4400),
        ([{"id": "1", "type": "subscribe", "payload": {"query": 1}}], 4400),
        ([{"id": "1", "type": "subscribe", "payload": {"query": "", "variables": []}}], 4400),
        (['{"type": "ping", "payload": ' + '{"a":' * 300 + "1" + "}" * 301], 4400),
        (['{"type": "connection_init", "payload": ' + "[" * 300 + "]" * 300 + "}"], 4400),
        (["[" * 50_000], 4400),
        (['{"type": "ping", "type": "pong"}'], 4400),
        (['{"type": "ping", "payload": {"a": 1, "a": 2}}'], 4400),
        (['{"type": "ping", "payload": "\ud800"}'], 4400),
        ([{"type": "connection_init", "payload": []}], 4400),
        ([{"type": "connection_init", "payload": {"Authorization": 1}}], 4400),
    ],
)
async def test_who_breaks_the_protocol_is_let_go(messages: list[Any], code: int) -> None:
    peer = await World().greeted()
    await peer.say(*messages)
    assert peer.closed is not None
    assert peer.closed[0] == code
    assert peer.task.done()


async def test_nothing_is_run_before_the_connection_is_acknowledged() -> None:
    world = World()
    peer = await world.connected()
    assert await peer.subscribe("mutation { slow }") == []
    assert peer.closed == (4401, "Unauthorized")
    assert world.events == []


async def test_bytes_are_no_message() -> None:
    peer = await World().greeted()
    await peer.say_bytes(b"{}")
    assert peer.closed == (4400, "Messages are text.")


@pytest.mark.parametrize("payload", [{}, {"payload": {"sent": 1}}])
async def test_a_ping_is_answered_with_its_payload(payload: dict[str, Any]) -> None:
    peer = await World().connected()
    assert await peer.say({"type": "ping", **payload}) == [{"type": "pong", **payload}]


async def test_a_number_of_a_ping_that_no_float_is_comes_back_as_the_nearest_one() -> None:
    peer = await World().connected()
    ping = '{"type": "ping", "payload": {"sent": 0.10000000000000000001}}'
    assert await peer.say(ping) == [{"type": "pong", "payload": {"sent": 0.1}}]
    assert peer.closed is None


async def test_a_pong_needs_no_answer() -> None:
    peer = await World().connected()
    assert await peer.say({"type": "pong"}) == []
    assert peer.closed is None


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_whatever_is_said_is_understood_or_refused(text: str) -> None:
    with suppress(SocketClosedError):
        assert isinstance(read(text), ClientMessage)


def test_a_reason_fits_into_a_close_frame() -> None:
    assert len(SocketClosedError(4409, "é" * 200).reason.encode()) <= 123


# Bounds


async def test_a_connection_runs_so_many_operations_at_once() -> None:
    world = World(operations_max=2)
    peer = await world.greeted()
    await peer.subscribe(WAITS, "1")
    await peer.subscribe(WAITS, "2")
    (heard,) = await peer.subscribe("{ hello }", "3")
    assert code_of(heard) == "LIMIT_EXCEEDED"
    await peer.say({"id": "1", "type": "complete"})
    assert len(await peer.subscribe("{ hello }", "3")) == 2


async def test_operations_that_do_not_end_still_count() -> None:
    world = World(operations_max=1)
    peer = await world.greeted()
    await peer.subscribe(STUBBORN, "1")
    await peer.say({"id": "1", "type": "complete"})
    (heard,) = await peer.subscribe("{ hello }", "2")
    assert code_of(heard) == "LIMIT_EXCEEDED"
    world.gate.set()
    await peer.leave()


async def test_an_operation_that_does_not_end_holds_the_connection_so_long_only() -> None:
    world = World(send_s=10.0)
    peer = await world.greeted()
    await peer.subscribe(STUBBORN)
    await peer.leave()
    assert not peer.task.done()
    await world.virtual.advance(10)
    assert peer.task.done()
    assert [str(fault) for fault in world.faults] == [
        "An operation goes on after it was cancelled."
    ]
    world.gate.set()
    await world.virtual.settle()


async def test_who_does_not_read_is_let_go_and_its_source_is_not_run_on() -> None:
    world = World(send_s=0.05)
    peer = await world.greeted()
    peer.readable.clear()
    await peer.subscribe(WAITS)
    await asyncio.wait_for(peer.task, 5)
    assert peer.closed == (1008, "The client reads too slowly.")
    assert world.events == ["closed"]


async def test_silence_ends_a_connection_unless_something_runs() -> None:
    world = World(idle_s=60)
    silent, speaking, waiting = [await world.greeted() for _ in range(3)]
    await waiting.subscribe(WAITS)
    await world.virtual.advance(40)
    await speaking.say({"type": "pong"})
    await world.virtual.advance(40)
    assert silent.closed == (1000, "Nothing was asked for a while.")
    assert speaking.closed is None
    await world.virtual.advance(400)
    assert speaking.closed is not None
    assert waiting.closed is None
    world.gate.set()
    await world.virtual.advance(125)
    assert waiting.closed is not None


async def test_one_address_has_so_many_connections() -> None:
    world = World(connections_per_address_max=2)
    first, _ = await world.connected(), await world.connected()
    refused = await world.connected()
    assert refused.refused is not None
    status, body = refused.refused
    assert (status, body["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
    assert (await world.connected(address="192.0.2.2")).opened
    await first.leave()
    assert (await world.connected()).opened


async def test_all_have_so_many_connections() -> None:
    world = World(connections_max=1)
    await world.connected()
    refused = await world.connected(address="192.0.2.2")
    assert refused.refused is not None
    assert refused.refused[0] == 503


# The door


@pytest.mark.parametrize("origin", [None, "https://shop.example", "https://movies.example"])
async def test_own_pages_allowed_ones_and_other_programs_may_connect(origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    peer = await World().connected(headers=headers)
    assert peer.opened == {"type": "websocket.accept", "subprotocol": "graphql-transport-ws"}


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://movies.example.evil", "https://[", "x"]
)
async def test_pages_of_others_may_not_connect(origin: str) -> None:
    world = World()
    peer = await world.connected(headers={"origin": origin})
    assert peer.refused is not None
    assert peer.refused[0] == 403


async def test_without_a_host_no_origin_is_our_own() -> None:
    peer = await World().connected(headers={"host": "", "origin": "null"})
    assert peer.refused is not None


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",)])
async def test_other_protocols_are_refused(protocols: tuple[str, ...]) -> None:
    peer = await World().connected(protocols=protocols)
    assert peer.refused is not None
    assert peer.refused[0] == 400


# The end


async def test_a_server_that_stops_says_so_and_waits_for_what_it_ends() -> None:
    world = World()
    peers: list[Peer] = [await world.greeted(), await world.greeted()]
    await peers[0].subscribe(WAITS)
    await world.sockets.close()
    await world.virtual.settle()
    assert [peer.closed for peer in peers] == [(1001, "The server stops.")] * 2
    assert world.events == ["closed"]
    assert (await world.connected()).refused is not None


async def test_one_line_tells_of_each_connection_without_what_was_said() -> None:
    world = World()
    peer = await world.greeted("Bearer good-ada", headers={"x-request-id": "given-id-1"})
    await peer.subscribe("{ hello }")
    await world.virtual.advance(1.5)
    await peer.leave(4999)
    line = json.loads(world.log.getvalue())
    assert (line["event"], line["path"], line["code"]) == ("websocket", "/graphql", 4999)
    assert (line["elapsed_ms"], line["operations"]) == (1500.0, 1)
    assert line["request_id"] == "given-id-1"
    assert "good-ada" not in world.log.getvalue()
    assert world.ended == [3000]  # whatever it chose: it must not fill the registry

"""Whatever watched, and however it was written down: the same history is the same offers."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from movieql.domain.errors import ObservationsCorruptError
from movieql.domain.folding import AllMarks, OfferSummary, fold_offers
from movieql.domain.movies import Row
from movieql.domain.observations import (
    Marks,
    OfferFacts,
    PriceRun,
    Run,
    Window,
    joined,
    milliseconds,
    moment,
    sights,
)
from movieql.domain.recording import Drained, Recorder, RecorderLimits
from movieql.domain.segments import (
    decode_segment,
    encode_segment,
    offer_line,
    read_offer,
)
from tests.builders import NOON, row, shop

LISTED = shop("listed", detail_fields=frozenset())
DETAILED = shop("detailed")
IDS = ("a1", "b2", "c3")
AMOUNTS = (None, "9.5", "29.5", "123.5")


@dataclass(frozen=True)
class Sight:
    """A fresh list of one shop, prices in it, at a time."""

    at_ms: int
    rows: tuple[Row, ...]


@st.composite
def histories(draw: st.DrawFn) -> list[Sight]:
    """Draw lists at ascending times; an id of a shop is priced as it is drawn."""
    times = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=14)))
    shelves = st.dictionaries(st.sampled_from(IDS), st.sampled_from(AMOUNTS), min_size=1)
    return [
        Sight(at_ms, tuple(row(own_id, price=price) for own_id, price in draw(shelves).items()))
        for at_ms in times
    ]


@dataclass
class Written:
    """Segments of several watchers, each its watcher's facts and marks."""

    parts: list[tuple[str, Drained]] = field(default_factory=list)

    def folded(self, window: Window) -> list[OfferSummary]:
        """Fold all of it, as it is read from files."""
        marks = AllMarks()
        facts: list[tuple[str, OfferFacts]] = []
        for watcher, drained in self.parts:
            for each in drained.marks:
                marks.add(watcher, each)
            facts += [(watcher, read_offer(offer_line(each))) for each in drained.facts]
        return list(fold_offers(facts, marks, window))


def watched(
    history: Sequence[Sight], watchers: Sequence[int], flushes: Sequence[bool], days: int = 7
) -> Written:
    """Let each list be seen by a watcher, who may write down what is new after it."""
    recorders = {number: Recorder([LISTED]) for number in set(watchers)}
    written = Written()
    for place, sight in enumerate(history):
        number = watchers[place % len(watchers)]
        recorders[number].note_list("listed", sight.rows, sight.at_ms)
        if flushes[place % len(flushes)]:
            everything = place % days == 0
            drained = recorders[number].drain(sight.at_ms, everything=everything)
            written.parts.append((f"w{number}", drained))
    for number, recorder in recorders.items():
        written.parts.append((f"w{number}", recorder.drain(history[-1].at_ms)))
    return written


def plain(history: Sequence[Sight], window: Window) -> dict[str, tuple[object, ...]]:
    """Say by hand what was on offer."""
    found: dict[str, tuple[object, ...]] = {}
    for own_id in IDS:
        seen = [
            (sight.at_ms, each.amount)
            for sight in history
            for each in sight.rows
            if each.provider_movie_id == own_id and sight.at_ms < window.until_ms
        ]
        inside = [each for each in seen if each[0] >= window.since_ms]
        if not inside:
            continue
        priced = [(at, amount) for at, amount in seen if amount is not None]
        last = priced[-1] if priced else (None, None)
        amounts = [amount for at, amount in inside if amount is not None]
        if not amounts and last[1] is not None:
            amounts = [last[1]]
        low, high = (min(amounts), max(amounts)) if amounts else (None, None)
        found[own_id] = (inside[0][0], inside[-1][0], last[1], last[0], low, high)
    return found


def told(summaries: Sequence[OfferSummary]) -> dict[str, tuple[object, ...]]:
    return {
        each.provider_movie_id: (
            each.first_ms,
            each.last_ms,
            each.price,
            each.price_ms,
            each.lowest,
            each.highest,
        )
        for each in summaries
    }


windows = st.builds(
    lambda since, length: Window(since, since + length), st.integers(0, 60), st.integers(1, 60)
)


@given(
    histories(),
    st.lists(st.integers(0, 2), min_size=1, max_size=14),
    st.lists(st.booleans(), min_size=1, max_size=14),
    windows,
    st.randoms(use_true_random=False),
)
def test_however_a_history_was_watched_and_written_it_is_the_same_offers(
    history: list[Sight],
    watchers: list[int],
    flushes: list[bool],
    window: Window,
    rng: random.Random,
) -> None:
    written = watched(history, watchers, flushes)
    rng.shuffle(written.parts)
    written.parts += rng.sample(written.parts, len(written.parts) // 2)  # read twice
    assert told(written.folded(window)) == plain(history, window)


@given(histories(), st.lists(st.booleans(), min_size=1, max_size=14), windows)
def test_two_who_see_the_same_are_as_one(
    history: list[Sight], flushes: list[bool], window: Window
) -> None:
    one = watched(history, [0], flushes)
    two = watched(history, [0], [True])
    both = Written([*one.parts, *[("other", drained) for _, drained in two.parts]])
    assert told(both.folded(window)) == plain(history, window)


@given(histories(), st.integers(0, 14), windows)
def test_a_process_that_is_killed_loses_what_it_had_not_written_and_nothing_else(
    history: list[Sight], killed: int, window: Window
) -> None:
    before, after = history[:killed], history[killed:]
    written = Written()
    recorder = Recorder([LISTED])
    for sight in before[:-1]:
        recorder.note_list("listed", sight.rows, sight.at_ms)
        written.parts.append(("first", recorder.drain(sight.at_ms)))
    if after:
        written.parts += watched(after, [7], [True]).parts
    seen = [*before[:-1], *after]
    assert told(written.folded(window)) == plain(seen, window)


@given(histories(), st.integers(1, 14), windows)
def test_a_whole_statement_makes_everything_before_it_unneeded(
    history: list[Sight], place: int, window: Window
) -> None:
    """Of a window that starts with it; the last price is still known."""
    place = min(place, len(history) - 1)
    recorder = Recorder([LISTED])
    written = Written()
    for number, sight in enumerate(history):
        recorder.note_list("listed", sight.rows, sight.at_ms)
        if number == place:
            recorder.drain(sight.at_ms - 1)  # goes where nobody reads it
        if number >= place:
            drained = recorder.drain(sight.at_ms, everything=number == place)
            written.parts.append(("w", drained))
    since = Window(max(window.since_ms, history[place].at_ms), 200)
    expected = plain(history, since)
    assert {key: value[:2] for key, value in told(written.folded(since)).items()} == {
        key: value[:2] for key, value in expected.items()
    }


details = st.lists(st.tuples(st.sampled_from(IDS), st.integers(0, 2)), min_size=1, max_size=40)


@given(details, st.integers(1, 3), st.integers(3, 30))
def test_prices_of_details_are_never_of_a_time_when_they_were_another(
    seen: list[tuple[str, int]], change: int, lag: int
) -> None:
    """The price of every id changes once in a while; several watchers see some of it."""
    recorders = [Recorder([DETAILED], RecorderLimits(lag_s=lag / 1000)) for _ in range(3)]
    written = Written()
    truth: dict[str, list[tuple[int, Decimal]]] = {own_id: [] for own_id in IDS}
    for at_ms, (own_id, watcher) in enumerate(seen, 1):
        amount = Decimal(10 + at_ms // (5 * change))
        truth[own_id].append((at_ms, amount))
        recorders[watcher].note_detail("detailed", [row(own_id, price=str(amount))], at_ms)
        if at_ms % 3 == 0:
            written.parts.append((f"w{watcher}", recorders[watcher].drain(at_ms)))
    end_ms = len(seen) + 1
    for number, recorder in enumerate(recorders):
        written.parts.append((f"w{number}", recorder.drain(end_ms)))
    for since_ms in range(1, end_ms, 4):
        window = Window(since_ms, end_ms)
        for summary in written.folded(window):
            points = truth[summary.provider_movie_id]
            assert summary.price == points[-1][1]
            assert summary.highest == points[-1][1]
            held = [amount for at, amount in points if at < since_ms][-1:]
            held += [amount for at, amount in points if at >= since_ms]
            assert summary.lowest in held


def test_a_price_that_is_confirmed_together_with_the_others_costs_nothing_to_keep() -> None:
    recorder = Recorder([DETAILED], RecorderLimits(lag_s=1_000))
    for own_id in IDS:
        recorder.note_detail("detailed", [row(own_id, price="9.5")], 10)
    assert len(recorder.drain(10).facts) == 3
    for number, own_id in enumerate(IDS):
        recorder.note_detail("detailed", [row(own_id, price="9.5")], 500_000 + number)
    drained = recorder.drain(500_010)
    assert drained.facts == ()
    assert drained.marks == (Marks("detailed", (), (500_000,)),)


def test_a_price_that_nobody_confirms_does_not_hold_up_the_others() -> None:
    recorder = Recorder([DETAILED], RecorderLimits(lag_s=1.0))
    for own_id in ("a1", "b2"):
        recorder.note_detail("detailed", [row(own_id, price="9.5")], 10)
    recorder.drain(10)
    recorder.note_detail("detailed", [row("a1", price="9.5")], 2_000)
    drained = recorder.drain(2_000)
    assert [each.prices for each in drained.facts] == [(PriceRun(Decimal("9.5"), 10, 10),)]
    assert drained.marks == (Marks("detailed", (), (2_000,)),)
    assert recorder.drain(3_500).facts[0].prices[0].end_ms == 2_000


def test_an_unchanged_shelf_costs_its_times_only() -> None:
    recorder = Recorder([LISTED])
    rows = [row(f"a{number}", price="9.5") for number in range(1_000)]
    recorder.note_list("listed", rows, 10)
    assert len(recorder.drain(10).facts) == 1_000
    recorder.note_list("listed", rows, 20)
    recorder.note_list("listed", rows, 30)
    drained = recorder.drain(30)
    assert drained.facts == ()
    assert drained.marks == (Marks("listed", (20, 30), (20, 30)),)
    assert not recorder.has_news


def test_an_empty_list_a_late_one_and_shops_that_do_not_sell_say_nothing() -> None:
    recorder = Recorder([LISTED, shop("house", sells=False)])
    recorder.note_list("listed", [row("a1", price="9.5")], 20)
    recorder.drain(20)
    recorder.note_list("listed", [], 30)
    recorder.note_list("listed", [row("b2")], 19)
    recorder.note_list("house", [row("h1")], 31)
    recorder.note_list("nobody", [row("h1")], 31)
    assert not recorder.has_news


def test_what_is_over_the_bound_is_told() -> None:
    recorder = Recorder([LISTED], RecorderLimits(offers_max=2))
    recorder.note_list("listed", [row("a1"), row("b2"), row("c3")], 10)
    drained = recorder.drain(10)
    assert (len(drained.facts), drained.refused) == (2, 1)
    recorder.note_list("listed", [row("b2")], 20)
    recorder.drain(20)  # a1 is over, and has made room
    recorder.note_list("listed", [row("b2"), row("c3")], 30)
    assert [each.key[1] for each in recorder.drain(30).facts] == ["c3"]


def test_sights_that_cannot_be_written_for_long_are_merged_and_not_lost() -> None:
    limits = RecorderLimits(runs_max=6, marks_max=10)
    recorder = Recorder([LISTED], limits)
    for at_ms in range(1, 2_001):
        on_shelf = [row("b2", price=str(at_ms % 7 + 1))]
        on_shelf += [row("a1", price="5")] if at_ms % 3 else []
        recorder.note_list("listed", on_shelf, at_ms)
    drained = recorder.drain(2_000)
    assert drained.merged > 1_000
    assert sum(len(each.runs) + len(each.prices) for each in drained.facts) <= 30
    assert len(drained.marks[0].lists) <= limits.marks_max
    summaries = Written([("w", drained)]).folded(Window(0, 3_000))
    by_id = {each.provider_movie_id: each for each in summaries}
    assert (by_id["b2"].first_ms, by_id["b2"].last_ms) == (1, 2_000)
    assert (by_id["b2"].lowest, by_id["b2"].highest) == (Decimal(1), Decimal(7))
    assert (by_id["a1"].first_ms, by_id["a1"].last_ms) == (1, 2_000)


def test_the_later_description_counts() -> None:
    recorder = Recorder([LISTED])
    recorder.note_list("listed", [row("a1", title="Alien", year=1978)], 10)
    first = recorder.drain(10)
    recorder.note_list("listed", [row("a1", title="Alien", year=1979)], 20)
    parts = [("w", recorder.drain(20)), ("w", first)]
    assert Written(parts).folded(Window(0, 30))[0].year == 1979


def test_a_day_is_one_of_the_shop_that_says_when_it_made_the_offer() -> None:
    recorder = Recorder([LISTED])
    recorder.note_list("listed", [Row("a1", created_at=NOON)], 10)
    summary = Written([("w", recorder.drain(10))]).folded(Window(0, 30))[0]
    assert summary.created_ms == milliseconds(NOON)
    assert moment(milliseconds(NOON)) == NOON


def test_a_title_without_end_is_cut() -> None:
    recorder = Recorder([LISTED])
    recorder.note_list("listed", [row("a1", title="x" * 5_000)], 10)
    assert len(recorder.drain(10).facts[0].title or "") == 1_000


@given(
    st.integers(0, 30),
    st.none() | st.integers(0, 30),
    st.sets(st.integers(0, 60)),
    windows,
)
def test_sights_are_those_that_one_counts_by_hand(
    start: int, length: int | None, marks: set[int], window: Window
) -> None:
    run = Run(start, None if length is None else start + length)
    end = 100 if run.end_ms is None else run.end_ms
    counted = {at for at in marks if start <= at <= end} | {start}
    counted |= set() if run.end_ms is None else {run.end_ms}
    before = [at for at in counted if at < window.until_ms]
    inside = [at for at in before if at >= window.since_ms]
    found = sights(run, sorted(marks), window)
    assert (found is None) == (not before)
    if found is not None:
        assert found.last_ms == max(before)
        assert found.first_ms == min(inside, default=None)


texts = st.text(max_size=20)
times = st.integers(0, 10**13)


@st.composite
def some_facts(draw: st.DrawFn) -> OfferFacts:
    starts = draw(st.lists(times, max_size=3))
    ends = st.none() | st.integers(0, 1_000)
    runs = [(start, draw(ends)) for start in starts]
    amounts = st.decimals("0.01", "1000000", places=2)
    return OfferFacts(
        draw(texts),
        draw(texts),
        draw(st.none() | texts),
        draw(st.none() | st.integers(1800, 2100)),
        draw(st.none() | times),
        draw(times),
        tuple(Run(at, None if end is None else at + end) for at, end in runs),
        tuple(PriceRun(draw(amounts), at, None if end is None else at + end) for at, end in runs),
    )


@given(some_facts())
@example(OfferFacts("p", "\ud800", "\n\u2028", None, None, 0))
def test_what_is_written_is_read(facts: OfferFacts) -> None:
    line = offer_line(facts)
    assert b"\n" not in line
    assert read_offer(line) == facts


@given(some_facts(), some_facts())
def test_a_segment_is_read_as_it_was_written(first: OfferFacts, second: OfferFacts) -> None:
    lines = (("w1", offer_line(first)), ("w2", offer_line(second)))
    marks = (("w2", Marks("p", (1, 2), ())),)
    segment = decode_segment("key", encode_segment(["s1", "s2"], lines, marks))
    assert (segment.sources, segment.lines, segment.marks) == (("s1", "s2"), lines, marks)


def damaged(body: bytes) -> Iterator[bytes]:
    yield b""
    yield b"\n"
    yield b"{}"
    yield body[:-1]
    yield body + b"x"
    for place in range(0, len(body), 3):
        yield body[:place]
        yield body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]


def test_a_damaged_segment_is_an_error_that_names_it() -> None:
    facts = OfferFacts("p", "a1", "Alien", 1979, None, 5, (Run(1, 2),))
    body = encode_segment(["s"], [("w", offer_line(facts))], [("w", Marks("p", (1,), ()))])
    for each in damaged(body):
        with pytest.raises(ObservationsCorruptError, match="observations/x"):
            decode_segment("observations/x", each)


@pytest.mark.parametrize(
    "values",
    [
        '["p","a",null,null,null,1,[],[],1]',
        '["p",1,null,null,null,1,[],[]]',
        '["p","a",1,null,null,1,[],[]]',
        '["p","a",null,null,null,true,[],[]]',
        '["p","a",null,null,null,1,[[2,1]],[]]',
        '["p","a",null,null,null,1,[[2]],[]]',
        '["p","a",null,null,null,1,[],[["NaN",1,2]]]',
        '["p","a",null,null,null,1,[],[["x",1,2]]]',
        '["p","a",null,null,null,1,[],[["-1",1,2]]]',
        "5",
        "{}",
    ],
)
def test_facts_of_another_shape_are_refused(values: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        read_offer(f"00000000{values}".encode())


def test_of_two_runs_with_one_start_the_one_that_ended_counts() -> None:
    one = OfferFacts("p", "a", None, None, None, 1, (Run(1), Run(5)))
    two = OfferFacts("p", "a", None, None, None, 1, (Run(1, 3),))
    assert joined([one, two]).runs == joined([two, one]).runs == (Run(1, 3), Run(5))

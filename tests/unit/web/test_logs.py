import io
import json
import logging

import pytest

from movieql.web.telemetry import TEXT_CHARACTERS_MAX, ForwardToStructlog, make_logger

CANARY = "canary-0123456789"


def fail_near_a_secret() -> None:
    headers = {"x-access-token": CANARY}
    assert headers
    raise ValueError("broken")


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variables(form: str) -> None:
    stream = io.StringIO()
    logger = make_logger("info", form, stream)
    try:
        fail_near_a_secret()
    except ValueError as error:
        logger.error("fault of ours", exc_info=error)  # noqa: TRY400  # as Metrics.fault does
    assert "fail_near_a_secret" in stream.getvalue()
    assert "ValueError: broken" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_a_line_is_one_json_object_with_level_and_time() -> None:
    stream = io.StringIO()
    make_logger("info", "json", stream).warning("shop failed", provider="filmworld")
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {"event": "shop failed", "level": "warning", "provider": "filmworld"}


def test_what_is_below_the_level_is_not_logged() -> None:
    stream = io.StringIO()
    make_logger("error", "json", stream).warning("shop failed")
    assert stream.getvalue() == ""


def test_what_libraries_log_comes_out_in_our_form() -> None:
    stream = io.StringIO()
    library = logging.Logger("a.library")  # noqa: LOG001  # not in the tree of the test run
    library.addHandler(ForwardToStructlog(make_logger("info", "json", stream)))
    library.info("started")
    library.warning("took %d s", 3)
    (line,) = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (line["library"], line["event"], line["level"]) == ("a.library", "took 3 s", "warning")


def test_a_text_is_cut_and_what_a_library_says_is_not() -> None:
    stream = io.StringIO()
    traceback = "Traceback\n" + "line\n" * 1_000
    make_logger("info", "json", stream).error(traceback, path="/" + "a" * 60_000)
    told = json.loads(stream.getvalue())
    assert told["event"] == traceback
    assert told["path"] == "/" + "a" * (TEXT_CHARACTERS_MAX - 1) + "…"

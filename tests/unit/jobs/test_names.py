"""Names of jobs, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movieql.jobs.names import GENERATION_MAX, is_id_part, job_id_of, parsed_job_id

export_ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
generations = st.integers(1, GENERATION_MAX)


@given(export_ids, generations)
def test_a_jobs_name_says_which_export_and_generation_it_is(
    export_id: str, generation: int
) -> None:
    assert parsed_job_id(job_id_of(export_id, generation)) == (export_id, generation)


@given(st.text())
def test_other_names_say_nothing(name: str) -> None:
    found = parsed_job_id(name)
    assert found is None or job_id_of(*found) == name


@pytest.mark.parametrize("export_id", ["", "a" * 65, "a b", "a:b", "é", "a\n", "../a"])
def test_what_cannot_be_an_id_is_refused(export_id: str) -> None:
    assert not is_id_part(export_id)
    with pytest.raises(ValueError, match="64 letters"):
        job_id_of(export_id, 1)


@pytest.mark.parametrize("generation", [0, -1, GENERATION_MAX + 1])
def test_what_cannot_be_a_generation_is_refused(generation: int) -> None:
    with pytest.raises(ValueError, match="generation"):
        job_id_of("a", generation)

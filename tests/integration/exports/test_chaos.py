"""Exports under all that may happen to workers, queue and store at once (docs/operations.md)."""

import os

import pytest

from tests.integration.exports.chaos import (
    COMPANY_S,
    LAST_COMMIT_S_MAX,
    Chaos,
    Inspector,
    Plan,
    table,
)
from tests.integration.exports.stage import SlowFaults, staged
from tests.integration.exports.supervised import supervised

ALONE = "PYTEST_XDIST_WORKER" not in os.environ
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"

BULK_MOVIES = 2_800
"""With their long titles more than 5 MiB, which is a part."""

CI = [
    Plan(
        seed=1,
        exports=20,
        seconds=60.0,
        kinds={
            "tree": 3,
            "supervisor": 1,
            "worker": 3,
            "horse": 5,
            "keeper": 1,
            "valkey": 2,
            "flushall": 1,
            "outage": 2,
            "abort": 2,
        },
    )
]
"""One short run of everything."""

SOAKING = [
    Plan(
        seed=seed,
        exports=40,
        seconds=120.0,
        kinds={
            "tree": 6,
            "supervisor": 2,
            "worker": 7,
            "horse": 8,
            "keeper": 3,
            "valkey": 3,
            "flushall": 2,
            "outage": 3,
            "abort": 4,
        },
    )
    for seed in (1, 2, 3)
]
"""What `make soak` runs; docs/operations.md has what came of it."""


@pytest.mark.timeout(200)
@pytest.mark.parametrize("plan", SOAKING if SOAK else CI, ids=lambda plan: f"seed {plan.seed}")
async def test_every_export_ends_once_and_whole_whatever_is_killed(plan: Plan) -> None:
    async with staged(SlowFaults(seed=plan.seed), BULK_MOVIES) as stage:
        async with supervised(stage.env, plan.workers) as workers:
            chaos = Chaos(plan, stage, workers)
            await chaos.run()
            inspector = Inspector(stage, chaos.asked)
            await inspector.wait(chaos.ended_at, LAST_COMMIT_S_MAX + COMPANY_S)
            told = workers.told
        found = await inspector.look()
        await inspector.clean()
    print(table(plan, stage, chaos, found))  # noqa: T201  # figures to keep
    if found.wrong:
        print(told)  # noqa: T201  # shows why
    assert not found.wrong
    assert len(found.manifests) == plan.exports
    assert found.last_commit_s <= LAST_COMMIT_S_MAX + (0.0 if ALONE else COMPANY_S)

"""A shop of a shape never seen needs settings only."""

import tomllib

from aiohttp import web

from movieql.dev.simulator import Simulator
from movieql.dev.stack import simulated_providers, simulated_secrets
from movieql.settings.providers import parse_providers
from tests.servers import listening_shop, operation, serving

SETTINGS = """
[[providers]]
id = "videoworld"
name = "Video World"
base_url = "{url}/v3"
currency = "AUD"
priority = 3
auth = {{ kind = "header", name = "Authorization", token_env = "VIDEOWORLD_TOKEN" }}
list = {{ path = "/catalogue.json", wrapper = "items", fields = ["title", "price"] }}

[providers.keys]
id = "sku"
title = "label"
price = "cost"
"""

ITEMS = [
    {"sku": 17, "label": "STAR WARS: Episode IV — A New Hope", "cost": 19.95},
    {"sku": 18, "label": "Star Wars: The Force Awakens", "cost": 130},
    {"sku": 19, "label": "Alien", "cost": 5.5},
]
"""No years, numbers for prices and ids, other dashes and capitals."""


async def catalogue(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") != "Bearer third":
        raise web.HTTPForbidden
    return web.json_response({"ITEMS": ITEMS, "next": None})


async def test_a_third_shop_of_another_shape_joins_by_settings_alone() -> None:
    shop = web.Application()
    shop.router.add_get("/v3/catalogue.json", catalogue)
    async with Simulator() as simulator, listening_shop(shop) as url:
        third = parse_providers(tomllib.loads(SETTINGS.format(url=url)))
        secrets = simulated_secrets(simulator) | {"VIDEOWORLD_TOKEN": "Bearer third"}
        async with serving([*simulated_providers(simulator), *third], secrets) as server:
            page = (await server.ask(operation("CheapestMovies"))).data["movies"]
    assert page["complete"]
    assert [source["provider"]["id"] for source in page["sources"]] == [
        "cinemaworld",
        "filmworld",
        "videoworld",
    ]
    movies = {movie["id"]: movie for movie in page["nodes"]}
    assert len(movies) == 8

    def cheapest(movie_id: str) -> tuple[str, str]:
        offer = movies[movie_id]["cheapest"]["offer"]
        return offer["provider"]["id"], offer["price"]["amount"]

    assert cheapest("tt0076759") == ("videoworld", "19.95")
    assert len(movies["tt0076759"]["offers"]) == 3
    assert movies["tt0076759"]["title"] == "Star Wars: Episode IV - A New Hope"
    assert cheapest("tt2488496") == ("cinemaworld", "129.5")
    assert cheapest("alien_undated") == ("videoworld", "5.5")
    assert all(movie["cheapest"]["final"] for movie in movies.values())


async def test_the_contract_of_the_brief_works_with_its_ready_settings() -> None:
    async with Simulator(contract="b") as simulator:
        providers, secrets = simulated_providers(simulator), simulated_secrets(simulator)
        async with serving(providers, secrets) as server:
            page = (await server.ask(operation("CheapestMovies"))).data["movies"]
        assert {endpoint for _, endpoint, _ in simulator.calls} == {"list"}
    assert (page["totalCount"], page["complete"]) == (7, True)
    amounts = sorted(movie["cheapest"]["offer"]["price"]["amount"] for movie in page["nodes"])
    assert amounts == sorted(["29.5", "13.5", "69.5", "129.5", "900.5", "125.5", "12.5"])

"""Several people put portfolios in order at once, on a real server, while others change them."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.live import Session, running_server
from tests.writers import AdminSite, Writers

REORDER = "/admin/portfolios/portfolio/reorder/"
COUNT = 12
MOVES = 12


def titles(api: Session) -> list[str]:
    return [row["title"] for row in api.get("/api/portfolios/?limit=100").json()["results"]]


def move(site: AdminSite, moved: int, **target: int) -> Any:
    token = site.cookies["csrftoken"]
    return site.post(REORDER, json={"id": moved, **target}, headers={"X-CSRFToken": token})


def test_every_move_ends_in_an_order(tmp_path: Path) -> None:
    with running_server(tmp_path) as server, Writers.of(server) as writers:
        api = writers.api
        ids = [
            api.post("/api/portfolios/", json={"title": f"t{n}", "slug": f"s{n}", "excerpt": "e"}).json()["id"]
            for n in range(COUNT)
        ]
        key = str(api.headers["Authorization"]).split()[1]
        other = AdminSite(server.url)
        other.sign_in("ada")

        def reorder(site: AdminSite, seed: int) -> list[int]:
            chance, answers = random.Random(seed), []
            for _ in range(MOVES):
                moved, neighbour = chance.sample(ids, 2)
                answers.append(move(site, moved, **{chance.choice(["before", "after"]): neighbour}).status_code)
            return answers

        def renumber() -> list[int]:
            session, chance = server.session(key), random.Random(3)
            answers = []
            for pk in chance.choices(ids, k=MOVES):
                change = {"order": chance.randrange(-2, 3), "links": [{"name": "l"}]}
                answers.append(session.patch(f"/api/portfolios/{pk}/", json=change).status_code)
            return answers

        def tag() -> list[int]:
            session, answers = server.session(key), []
            for number in range(MOVES // 2):
                made = session.post("/api/tags/", json={"name": f"tag {number}"}).json()["id"]
                for pk in (ids[-1], ids[0]):
                    answers.append(session.patch(f"/api/portfolios/{pk}/", json={"tags": [made]}).status_code)
                answers.append(session.delete(f"/api/tags/{made}/").status_code - 4)
            return answers

        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(reorder, writers.site, 1), pool.submit(reorder, other, 2), pool.submit(renumber)]
            answers = [status for job in [*jobs, pool.submit(tag)] for status in job.result()]

        assert set(answers) == {200}
        listed = titles(api)
        assert sorted(listed) == sorted(f"t{n}" for n in range(COUNT))
        last = ids[int(listed[-1][1:])]
        assert move(other, last, before=ids[int(listed[0][1:])]).json()["place"] == 1
        assert titles(api) == [listed[-1], *listed[:-1]]

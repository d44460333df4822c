"""Searches answer as plain Python does that looks at every row, on both databases, whatever is folded already."""

import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from folio.api.folding import fold, forgivable, is_near, words_of_query, words_of_text
from folio.api.texts import search
from folio.portfolios.models import Employer, MetaEntry, Portfolio, PortfolioTag, State, Tag
from folio.portfolios.searching import find, walking
from folio.portfolios.searching.due import fold_all
from tests.factories import make_employer, make_meta, make_portfolio, make_tag

pytestmark = pytest.mark.django_db

WORDS = [
    "harbour",
    "Harbour's",
    "harbor",
    "HARBOURS",
    "museum",
    "muséum",
    "well-known",
    "wellness",
    "e‐mail",
    "C++",
    "100%",
    "a_b",
    "straße",
    "STRASSE",
    "Σίσυφος",
    "ς",
    "Ёлка",
    "елка",
    "كتاب",
    "کتاب\u200cها",
    "دیجی\u200cکالا",
    "می\u200cروم",
    "خانة",
    "خانۀ",
    "۱۴۰۳",
    "1403",
    "١٤٠٣",
    "हिन्दी",
    "ไทยแลนด์",
    "网站设计",
    "한국어",
    "İstanbul",
    "ılık",
    "ﬁne",
    "Ｗｉｄｅ",
    "🎨",
    "l’été",
    "x.",
    "(paren)",
    '"quoted"',
    "<b>bold</b>",
    "**strong**",
    "https://example.com/a-b",
    "ﷺ",
    "naïve",
    "Ångström",
    "zoology",
    "zoölogy",
]
ROWS = 40
QUERIES = 60
# What is many, when a walk is shorter, and of how many each entry is looked at.
BOUNDS = (
    (walking.FEW, walking.STEPS, walking.LOOKED_AT),
    (walking.FEW, walking.STEPS, 0),
    (2, walking.STEPS, 0),
    (2, 1_000, walking.LOOKED_AT),
)


def text(chance: random.Random, most: int) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(1, most)))


def make_rows(chance: random.Random) -> None:
    tags = [make_tag(name=f"{text(chance, 2)} {number}") for number in range(5)]
    employers = [make_employer(name=f"{text(chance, 2)} {number}") for number in range(4)]
    now, day = timezone.now(), timedelta(days=1)
    schedules: list[dict[str, Any]] = [*[{}] * 6, {"publish_at": now - day}, {"publish_at": now + day}]
    schedules.append({"unpublish_at": now - day})
    for number in range(ROWS):
        portfolio = make_portfolio(
            title=f"{text(chance, 3)} {number}",
            slug=f"slug-{number}",
            excerpt=text(chance, 5),
            description=chance.choice([None, "", text(chance, 8).replace("*", "")]),
            employer=chance.choice([None, *employers]),
            is_active=chance.random() < 0.8,
            **chance.choice(schedules),
            order=chance.randrange(4),
            tags=chance.sample(tags, chance.randint(0, 3)),
        )
        make_meta(portfolio, key="area", value_text=text(chance, 2))
        make_meta(portfolio, key="_secret", value_text="hidden")


def change_rows(chance: random.Random) -> None:
    """Change some of everything, past Folio."""
    for model, field in ((Tag, "name"), (Employer, "name"), (Portfolio, "excerpt"), (MetaEntry, "value_text")):
        for row in chance.sample(list(model._default_manager.all()), 2):
            model._default_manager.filter(pk=row.pk).update(**{field: f"{text(chance, 2)} {row.pk}"})
    PortfolioTag.objects.filter(pk__in=[row.pk for row in PortfolioTag.objects.all()[:3]]).delete()
    Portfolio.objects.filter(pk=chance.choice(list(Portfolio.objects.all())).pk).delete()


def query(chance: random.Random) -> str:
    words = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        word = chance.choice([*WORDS, "hidden", "nothing"])
        word = word[: chance.randint(1, len(word))]
        if chance.random() < 0.4 and len(word) > 3:
            at = chance.randrange(len(word) - 1)
            word = chance.choice(
                (
                    word[:at] + word[at + 1 :],
                    word[:at] + "q" + word[at:],
                    word[:at] + "q" + word[at + 1 :],
                    word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                )
            )
        words.append(chance.choice((str, str.upper, str.lower))(word))
    return " ".join(words)


class Plain:
    """A portfolio's words by the weight of their field."""

    def __init__(self, row: Portfolio) -> None:
        self.row = row
        meta = [entry.value_text or "" for entry in row.meta.all() if not entry.key.startswith("_")]
        names = [tag.name for tag in row.tags.all()] + [row.employer.name if row.employer else ""]
        self.fields = {
            4: {*words_of_text(row.title)},
            3: {word for name in names for word in words_of_text(name)},
            2: {*words_of_text(row.excerpt)},
            1: {word for each in (row.description or "", *meta) for word in words_of_text(each)},
        }
        own = (row.title, row.slug, row.excerpt, str(row.year or ""), row.employer.name if row.employer else "")
        self.parts = [fold(each) for each in own]

    def weight(self, word: str, *, forgives: bool) -> int:
        for weight, words in self.fields.items():
            if any(
                each.startswith(word) or (forgives and is_near(word, each) and bool(forgivable([each])))
                for each in words
            ):
                return weight
        return 0


def visitors_find(rows: Iterable[Plain], text: str) -> list[tuple[int, int]]:
    published = [each for each in rows if each.row.state_at(timezone.now()) == State.PUBLISHED]
    words = words_of_query(text)
    forgives = {
        word: len(word) >= 5
        and bool(forgivable([word]))
        and not any(each.weight(word, forgives=False) for each in published)
        for word in words
    }
    found = []
    for each in published:
        weights = [each.weight(word, forgives=forgives[word]) for word in words]
        if words and all(weights):
            found.append((sum(weights), each.row))
    found.sort(key=lambda pair: (-pair[0], pair[1].order, -pair[1].created_at.timestamp(), pair[1].pk))
    return [(row.pk, score) for score, row in found]


@pytest.mark.parametrize("seed", range(4))
def test_answers_as_a_look_at_every_row_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    make_rows(chance)
    for step in ("nothing is folded", "all is folded", "some has changed", "all is folded again"):
        if step.startswith("all"):
            fold_all()
        elif step.startswith("some"):
            change_rows(chance)
        plain = [Plain(row) for row in Portfolio.objects.select_related("employer").prefetch_related("tags", "meta")]
        for text in [query(chance) for _ in range(QUERIES)]:
            found = find(text)
            rows = Portfolio.objects.only_published().filter(found.condition).annotate(score=found.relevance)
            ordered = rows.order_by("-score", "order", "-created_at", "pk")
            assert list(ordered.values_list("pk", "score")) == visitors_find(plain, text), (step, text)
            assert rows.count() == len(ordered)
            best = [pk for pk, _ in visitors_find(plain, text)]
            for few, steps, looked_at in BOUNDS:
                monkeypatch.setattr(walking, "FEW", few)
                monkeypatch.setattr(walking, "STEPS", steps)
                monkeypatch.setattr(walking, "LOOKED_AT", looked_at)
                found = find(text, in_order=True)
                assert found.total == len(best), (step, text, few)
                for start, stop in ((0, 1), (0, len(best) or 1), (1, 3), (len(best), len(best) + 2)):
                    if found.is_ranked:
                        assert found.part(start, stop) == best[start:stop], (step, text, few, steps, looked_at)
            words = fold(text).split()
            managed = search(Portfolio.objects.all(), text, "title", "slug", "excerpt", "year", "employer__name")
            expected = {
                each.row.pk
                for each in plain
                if words and all(any(word in part for part in each.parts) for word in words)
            }
            assert {row.pk for row in managed} == expected, (step, text)

"""An installation as the first release, 0.1.0, left it: its tables, rows and files, and nothing of later ones."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .environment import ROOT, environment

KEY = "folio_a-key-of-the-first-release"
PASSWORD = "a password of the first release"
PICTURE = "core_media/2026/11/23/sign.png"
SIZES = (64, 128, 512, 1080)
# The last migrations that 0.1.0 had of its own.
MIGRATIONS = [
    ("access", "0001_initial"),
    ("media", "0001_initial"),
    ("portfolios", "0002_index_filters_in_default_order"),
]
DJANGOS = {"admin", "auth", "contenttypes", "sessions"}


def begin(folder: Path, variables: Mapping[str, str]) -> None:
    """Make such an installation in a folder, and in the database that the variables name, which is empty."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.first_release"],
        cwd=ROOT,
        env=environment(folder, **variables, DJANGO_SETTINGS_MODULE="folio.settings"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def main() -> None:
    import django

    os.umask(0o022)  # 0.1.0 left its files to be read by everyone
    django.setup()

    from django.conf import settings
    from django.contrib.auth.hashers import make_password
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from folio.installation import begin, begin_database
    from tests.factories import draw

    begin()
    begin_database()
    executor = MigrationExecutor(connection)
    djangos = [node for node in executor.loader.graph.leaf_nodes() if node[0] in DJANGOS]
    executor.migrate([*djangos, *MIGRATIONS])
    get_model = executor.loader.project_state([*djangos, *MIGRATIONS]).apps.get_model
    root = Path(settings.MEDIA_ROOT)
    thumbnails = {size: f"{PICTURE.replace('sign', f'thumbnails/sign_thumbnail_{size}x{size}')}" for size in SIZES}
    for name in (PICTURE, *thumbnails.values()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(draw())
    admin = get_model("auth", "User").objects.create(
        username="ada", password=make_password(PASSWORD), is_staff=True, is_superuser=True
    )
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    get_model("access", "Token").objects.create(name="website", digest=digest, user=admin)
    media = get_model("media", "Media").objects.create(
        file=PICTURE,
        type="image",
        mime_type="image/png",
        name="sign.png",
        size=len(draw()),
        width=40,
        height=30,
        mode="RGB",
    )
    for size, name in thumbnails.items():
        get_model("media", "Thumbnail").objects.create(media=media, size=size, file=name)
    employer = get_model("portfolios", "Employer").objects.create(name="Harbour Bakery", image=media)
    tags = [get_model("portfolios", "Tag").objects.create(name=name) for name in ("Signs", "Cafe\u0301")]
    for order, (slug, title) in enumerate({"sign": "A sign", "loaf": "A loaf"}.items()):
        portfolio = get_model("portfolios", "Portfolio").objects.create(
            title=title, slug=slug, excerpt=f"{title}, in short.", description="Once *plain* text.", order=order,
            is_active=slug == "sign", completed_at="2025-12-31T23:30:00Z", employer=employer, image=media,
        )  # fmt: skip
        for place, tag in enumerate(tags):
            get_model("portfolios", "PortfolioTag").objects.create(portfolio=portfolio, tag=tag, place=place)
        get_model("portfolios", "PortfolioImage").objects.create(portfolio=portfolio, media=media, place=0)
        get_model("portfolios", "Link").objects.create(portfolio=portfolio, name="Site", url="https://example.com/")
        get_model("portfolios", "MetaEntry").objects.create(portfolio=portfolio, key="Colour", value_text="Red")


if __name__ == "__main__":
    main()

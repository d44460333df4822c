from typing import Any

import pytest
from django.test import Client

SITE = "https://studio.example/work/{slug}/"


@pytest.fixture
def visitor(db: None, settings: Any) -> Client:
    """Someone without a key, where public reading is open and the website is known."""
    settings.PUBLIC_READ = True
    settings.SITE_URL = SITE
    return Client(raise_request_exception=False)

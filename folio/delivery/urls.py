"""What visitors read, under `/api/public/`."""

from typing import Any

urlpatterns: list[Any] = []

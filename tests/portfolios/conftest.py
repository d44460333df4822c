"""People of the admin site, who may do different things."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client as Site

from tests.factories import make_user


@pytest.fixture
def drafter(site_for: Callable[[User], Site]) -> Site:
    """Staff who write what others publish."""
    user = make_user("dora", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="draft_portfolio"))
    return site_for(user)


@pytest.fixture
def viewer(site_for: Callable[[User], Site]) -> Site:
    return site_for(make_user("vera", is_staff=True, codes=[4202]))

import pytest
from django.contrib import admin as admin_site
from django.contrib.auth.models import Group, User

from tests.delivery.webhooks.hooks import make_delivery, make_webhook
from tests.factories import make_employer, make_key, make_link, make_media, make_meta, make_portfolio, make_tag
from tests.pages import admin_pages


@pytest.fixture
def pages(admin: User) -> dict[str, str]:
    """The addresses of all pages, with a row of each model behind those of one row."""
    portfolio = make_portfolio(image=make_media(), employer=make_employer(), tags=[make_tag()], images=[make_media()])
    make_link(portfolio)
    make_meta(portfolio)
    make_key(admin)
    make_delivery(make_webhook())
    Group.objects.get_or_create(name="Editors")
    models = [model._default_manager for model in admin_site.site._registry]
    return admin_pages({rows.model._meta.label: rows.order_by("pk").values_list("pk", flat=True)[0] for rows in models})

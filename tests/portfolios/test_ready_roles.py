"""Three groups that a new installation begins with."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from folio.access.codes import CODES, RESOURCES
from folio.access.grants import granted_codes, held_permissions
from folio.portfolios.publishing import may_draft, may_publish
from tests.factories import make_user

MIGRATION: Any = import_module("folio.portfolios.migrations.0004_ready_roles")
ROLES = ["Contributor", "Editor", "Viewer"]


class Editor:
    """What the migration needs of a schema's editor."""

    connection = connection


def make_roles() -> None:
    MIGRATION.make_roles(apps, Editor)


@pytest.fixture
def no_roles(db: None) -> None:
    Group.objects.filter(name__in=ROLES).delete()


@pytest.fixture
def own_content_types(db: None) -> Iterator[None]:
    """Let a test make content types anew: Django remembers their ids, which go with the test's transaction."""
    yield
    ContentType.objects.clear_cache()


def member(role: str) -> Any:
    user = make_user(is_staff=True)
    user.groups.set([Group.objects.get(name=role)])
    return user


def codes(**actions: str) -> set[int]:
    return {RESOURCES[resource][action].code for resource, given in actions.items() for action in given.split()}


@pytest.mark.usefixtures("no_roles")
def test_an_editor_may_do_all_of_the_six_resources() -> None:
    make_roles()

    editor = member("Editor")
    assert granted_codes(editor) == set(CODES)
    assert held_permissions(editor) == {code.permission for code in CODES.values()}
    assert may_publish(editor)


@pytest.mark.usefixtures("no_roles")
def test_a_contributor_writes_what_others_publish() -> None:
    make_roles()

    contributor = member("Contributor")
    assert granted_codes(contributor) == codes(
        media="create list retrieve update",
        portfolios="list retrieve",
        employers="list retrieve",
        tags="create list retrieve",
    )
    assert may_draft(contributor)
    assert not may_publish(contributor, is_new=True)


@pytest.mark.usefixtures("no_roles")
def test_a_viewer_sees_the_six_resources() -> None:
    make_roles()

    viewer = member("Viewer")
    assert granted_codes(viewer) == {code.code for code in CODES.values() if code.action in {"list", "retrieve"}}
    assert not may_draft(viewer)


@pytest.mark.usefixtures("no_roles")
def test_a_group_of_that_name_stays_as_it_is() -> None:
    group = Group.objects.create(name="Editor")
    group.permissions.set(Permission.objects.filter(codename="view_tag"))

    make_roles()

    assert [permission.codename for permission in group.permissions.all()] == ["view_tag"]
    assert Group.objects.filter(name__in=ROLES).count() == 3


@pytest.mark.usefixtures("no_roles", "own_content_types")
def test_makes_the_permissions_as_django_makes_them() -> None:
    """Django makes them after the last migration; on a new database there are none before."""
    labels = ["media", "portfolios"]
    before = set(Permission.objects.filter(content_type__app_label__in=labels).values_list("codename", "name"))
    ContentType.objects.filter(app_label__in=labels).delete()

    make_roles()
    made = Permission.objects.filter(content_type__app_label__in=labels)
    needed = set(made.values_list("codename", "name"))
    for label in labels:
        create_permissions(apps.get_app_config(label), verbosity=0)

    assert needed
    assert needed <= before
    assert set(made.values_list("codename", "name")) == before


@pytest.mark.django_db(transaction=True)
def test_comes_once_to_an_installation_that_is_there() -> None:
    Group.objects.filter(name__in=ROLES).delete()
    migrate("0003_permission_to_draft")

    migrate("0004_ready_roles")
    assert sorted(Group.objects.filter(name__in=ROLES).values_list("name", flat=True)) == ROLES

    Group.objects.get(name="Viewer").delete()
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert not Group.objects.filter(name="Viewer").exists()


def migrate(name: str) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("portfolios", name)])

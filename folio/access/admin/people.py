"""Users and groups. Whoever manages people without being an admin can't gain or give more than they hold."""

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Count, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm, UserCreationForm

from folio.admin.collisions import TellsCollisions
from folio.admin.options import ResourceAdmin

from ..codes import CODES
from ..grants import holds_no_more
from .passwords import TEMPLATE, PasswordForm
from .tables import GrantsField, GrantsForm, GroupsTable, PermissionsTable, grants_in_words, lines, with_names
from .words import OTHERS, path_of

MOMENTS = ("last_login", "date_joined")  # which nobody sets by hand
GRANTABLE = {*(code.permission for code in CODES.values()), *OTHERS}


def may_grant(user: Any, row: Any) -> bool:
    """Tell whether a user may grant a permission, or all that a group does, to someone or take it from them."""
    if isinstance(row, Permission):
        path = path_of(row)
        return path in GRANTABLE and user.has_perm(path)
    return user.has_perms([path_of(permission) for permission in row.permissions.all()])


class GrantsAdmin(TellsCollisions, admin.ModelAdmin):  # type: ignore[type-arg]
    """Offers the permissions that something in Folio asks for, and no others, in words."""

    in_words: dict[str, str]  # what shows a field where it can't be changed

    def told_beside(self, row: Any) -> Iterable[Any]:
        """Return what is granted, which stands in tables of its own."""
        return [sorted(granted.pk for granted in getattr(row, field.name).all()) for field in row._meta.many_to_many]

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        rows = with_names(db_field.remote_field.model.objects.all())
        if db_field.remote_field.model is Permission:
            path = Concat("content_type__app_label", Value("."), "codename")
            rows = rows.alias(path=path).filter(path__in=GRANTABLE)
        kwargs |= {"form_class": GrantsField, "queryset": rows, "may_grant": partial(may_grant, request.user)}
        kwargs["widget"] = (PermissionsTable if db_field.remote_field.model is Permission else GroupsTable)()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, GrantsField):
            field.widget = field.widget.widget  # without a button that adds another group
        return field

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the form's fields, with what is granted in words where it can't be changed."""
        fieldsets: Any = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        fieldsets = [
            (name, {**options, "fields": [self.in_words.get(field, field) for field in options["fields"]]})
            for name, options in fieldsets
        ]
        if self.has_change_permission(request):
            fieldsets[0][1]["description"] = _("You can’t change this user, who holds something that you don’t.")
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), *self.in_words.values())


def once(request: HttpRequest, key: Any, ask: Callable[[], bool]) -> bool:
    """Return what was asked before while this request is answered; a page asks for one permission many times."""
    answers: dict[Any, bool] = request.__dict__.setdefault("folio_answers", {})
    if key not in answers:
        answers[key] = ask()
    return answers[key]


admin.site.unregister(User)
admin.site.unregister(Group)


class UserForm(GrantsForm, UserChangeForm):
    pass


class NewUserForm(GrantsForm, UserCreationForm):
    """Who is new here is on the staff unless told otherwise, and has their roles from the beginning."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("is_staff", True)


@admin.register(User)
class UserAdmin(GrantsAdmin, DjangoUserAdmin, ResourceAdmin):  # type: ignore[type-arg]
    form = UserForm
    add_form = NewUserForm
    add_form_template = None  # Django's says that there is a second page
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2", "is_staff", "groups")}),
    )
    change_password_form = PasswordForm
    change_user_password_template = TEMPLATE
    list_display = ("username", "full_name", "email", "standing", "groups_in_words", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    in_words = {"groups": "groups_in_words", "user_permissions": "grants_in_words", "password": "sign_in"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        queryset: QuerySet[User] = super().get_queryset(request)
        return queryset.prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Tell whether a user may be deleted: with them goes what the history tells of them, which is for admins."""
        return (
            super().has_delete_permission(request, obj)
            and self.is_within_reach(request, obj)
            and (request.user.is_superuser or obj is None or not self.has_a_history(request, obj))
        )

    def has_a_history(self, request: HttpRequest, user: User) -> bool:
        return once(request, ("history", user.pk), lambda: LogEntry.objects.filter(user=user).exists())

    def is_within_reach(self, request: HttpRequest, user: User | None) -> bool:
        return user is None or once(request, user.pk, lambda: holds_no_more(user, request.user))

    def response_add(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead where the button says; Django leads to its second page from each of them."""
        answer: HttpResponse = super(DjangoUserAdmin, self).response_add(request, *args, **kwargs)
        return answer

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the users alone: what goes with them is counted, as their history tells of what not all may see."""
        users = list(objs)
        _rows, counts, lacking, protected = super().get_deleted_objects(users, request)
        return list(map(str, users)), counts, lacking, protected

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = (*super().get_readonly_fields(request, obj), *MOMENTS)
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pages: Any = copy(self)
        pages.change_password_form = partial(PasswordForm, by=cast(User, request.user))
        answer: HttpResponse = super(UserAdmin, pages).user_change_password(request, *args, **kwargs)
        return answer

    @admin.display(description=_("name"), ordering="first_name")
    def full_name(self, user: User) -> str | None:
        return user.get_full_name() or None

    @admin.display(description=_("sign-in"))
    def sign_in(self, user: User) -> Any:
        return _("With a password") if user.has_usable_password() else _("Without a password: not possible")

    @admin.display(description=_("standing"), ordering="-is_superuser")
    def standing(self, user: User) -> Any:
        return _("Admin") if user.is_superuser else _("Staff") if user.is_staff else _("No access here")

    @admin.display(description=_("groups"))
    def groups_in_words(self, user: User) -> str | None:
        return ", ".join(group.name for group in user.groups.all()) or None

    @admin.display(description=_("permissions"))
    def grants_in_words(self, user: User) -> str | None:
        return lines(grants_in_words(map(path_of, with_names(user.user_permissions.all()))))


@admin.register(Group)
class GroupAdmin(GrantsAdmin, DjangoGroupAdmin, ResourceAdmin):
    form = GrantsForm
    list_display = ("name", "member_count", "grants_in_words")
    fields = ("name", "permissions")
    in_words = {"permissions": "grants_in_words"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        queryset: QuerySet[Group] = with_names(super().get_queryset(request))
        return queryset.annotate(member_count=Count("user"))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_within_reach(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return the groups alone: the rows that join them with permissions and members say nothing to a reader."""
        rows, counts, lacking, protected = super().get_deleted_objects(objs, request)
        groups = str(self.opts.verbose_name_plural)
        return [row for row in rows if not isinstance(row, list)], {groups: counts[groups]}, lacking, protected

    def is_within_reach(self, request: HttpRequest, group: Group | None) -> bool:
        return group is None or may_grant(request.user, group)

    @admin.display(description=_("members"), ordering="member_count")
    def member_count(self, group: Group) -> int:
        return group.member_count  # type: ignore[attr-defined]

    @admin.display(description=_("grants"))
    def grants_in_words(self, group: Group) -> str | None:
        return lines(grants_in_words(map(path_of, group.permissions.all())))

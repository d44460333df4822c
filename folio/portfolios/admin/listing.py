"""The list of portfolios: what it shows, how it is narrowed, and what is done to its rows."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, RadioFilter
from unfold.contrib.filters.forms import HorizontalRadioForm
from unfold.templatetags.unfold_list import result_headers
from unfold.views import ChangeList

from folio.admin.options import AbsentLast, answer_in_json, in_one_write, json_body, unreadable
from folio.api.fields import BIGGEST, IDENTIFIER, MAX_LIST
from folio.api.viewsets import write
from folio.history.changes import log, log_each, new_values
from folio.media.admin import thumbnail_urls

from .. import publishing
from ..duplicating import duplicate
from ..filters import PortfolioFilterSet
from ..models import SCHEDULE, Portfolio, PortfolioTag
from ..reordering import found, hold_table, move, those_before
from .publications import PublishPages
from .restoring import RESTORED
from .states import ON, RANK, StateFilter, of_old_link, stated

TAGS = 3  # that a row shows; the others are counted
BOXES = (64, 128)  # thumbnails of a cover, for plain and for dense screens
SEEN = ("title", "slug", "order", *SCHEDULE, "completed_at", "image")


class YesNoFilter(RadioFilter):
    """A filter of the API, under its own name, that takes yes or no."""

    form_class = HorizontalRadioForm

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("true", _("Yes")), ("false", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> QuerySet[Portfolio]:
        if not self.value():
            return queryset
        if self.value() not in {"true", "false"}:
            return queryset.none()
        chosen = PortfolioFilterSet.base_filters[self.parameter_name]
        found: QuerySet[Portfolio] = chosen.filter(queryset, self.value() == "true")
        return found


class CoverFilter(YesNoFilter):
    title = _("cover image")
    parameter_name = "has_image"


class TagFilter(AutocompleteSelectFilter):
    """The API's filter by tag, which joins nothing: the list has no row twice, and none to compare with all others."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> QuerySet[Portfolio]:
        value = self.value()
        if not value:
            return queryset
        if not IDENTIFIER.fullmatch(value):
            raise IncorrectLookupParameters
        found: QuerySet[Portfolio] = PortfolioFilterSet.base_filters["tag_id"].filter(queryset, int(value))
        return found


class YearFilter(DropdownFilter):
    title = _("year")
    parameter_name = "year"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        years = Portfolio.objects.exclude(year=None).order_by("-year").values_list("year", flat=True).distinct()
        return [*((str(year), str(year)) for year in years), ("none", _("No date"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> QuerySet[Portfolio]:
        value = self.value()
        if not value:
            return queryset
        if value == "none":
            return queryset.filter(year=None)
        return queryset.filter(year=int(value)) if value in dict(self.lookup_choices) else queryset.none()


class PortfolioList(ChangeList):
    """A page of portfolios, read in a constant number of queries, with what its user may do to them."""

    result_list: Any

    def get_filters(self, request: HttpRequest) -> Any:
        filters, has_filters, others, _, has_active = super().get_filters(request)
        return filters, has_filters, others, False, has_active  # Django would make rows distinct that are so already

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.get_filters_params()):
            self.full_result_count = self.result_count  # nothing is left out: there are no others to offer
        self.may_publish = publishing.may_publish(request.user)
        self.may_reorder = self.may_publish and not self.is_popup
        self.may_duplicate = publishing.may_add(request.user) and not self.is_popup
        self.is_in_own_order = not (request.GET.get(ORDER_VAR) or self.query)
        self.may_move = self.may_reorder and self.is_in_own_order
        self.may_select = "action_checkbox" in self.list_display
        # Whole rows of three tables, made into objects, would take longer than all the rest of the page.
        self.result_list = self.result_list.only(*SEEN).annotate(employer_name=F("employer__name"))

    def headers(self) -> list[dict[str, Any]]:
        """Return the columns' headings: the checkboxes', a handle's, those of `list_display`, and the menu's."""
        headers = [*result_headers(self), plain_header(gettext("More actions"), "menu")]
        if self.may_move:
            headers.insert(1, plain_header(gettext("Move"), "handle"))
        return headers

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what `results.html` shows of each: texts in a dictionary, which a template finds fastest."""
        words = {
            "select": gettext("Select “%(title)s”"),
            "move": gettext("Move “%(title)s”"),
            "switch": gettext("Publish “%(title)s”"),
            "preview": gettext("Preview “%(title)s”"),
            "menu": gettext("More for “%(title)s”"),
        }
        url = reverse("admin:portfolios_portfolio_changelist")
        rows = list(self.result_list)
        covers = thumbnail_urls((row.image_id for row in rows), BOXES)
        tags = tags_of([row.pk for row in rows])
        now = timezone.now()
        for row in rows:
            state = row.state_at(now)
            shown, others = tags[row.pk][:TAGS], tags[row.pk][TAGS:]
            yield {
                "id": str(row.pk),
                "title": row.title,
                "slug": row.slug,
                "cover": covers.get((row.image_id, BOXES[0])),
                "dense_cover": covers.get((row.image_id, BOXES[1])),
                "employer": row.employer_name,
                "tags": shown,
                "others": ", ".join(others),
                "count": f"+{len(others)}",
                "more": ngettext("and %(count)s more", "and %(count)s more", len(others)) % {"count": len(others)},
                "order": str(row.order),
                "state": state.value,
                "is_on": "true" if state in ON else "false",
                "stated": stated(row, state),
                "completed": row.completed_at and date_format(row.completed_at, "DATE_FORMAT"),
                "url": f"{url}{row.pk}/",
                **{name: text % {"title": row.title} for name, text in words.items()},
            }

    @property
    def query_of_forms(self) -> str:
        """Return what a form's address needs to lead back to this page of the list."""
        return f"?{self.preserved_filters}" if self.preserved_filters else ""

    @property
    def first_place(self) -> int:
        return (self.page_num - 1) * self.list_per_page + 1

    @property
    def url_in_own_order(self) -> str:
        """Return where the same rows stand in the order that websites show."""
        return self.get_query_string(remove=[ORDER_VAR, SEARCH_VAR])


def tags_of(ids: list[int]) -> dict[int, list[str]]:
    """Return the names of portfolios' tags, in their order."""
    names: dict[int, list[str]] = defaultdict(list)
    placed = PortfolioTag.objects.filter(portfolio__in=ids).order_by("place", "pk")
    for pk, name in placed.values_list("portfolio", "tag__name"):
        names[pk].append(name)
    return names


def plain_header(text: str, name: str) -> dict[str, Any]:
    """Return the heading of a column that nothing is sorted by; for those only who can't see what is in it."""
    hidden = format_html('<span class="folio-hidden-visually">{}</span>', text)
    return {"text": hidden, "class_attrib": f"column-{name}", "sortable": False}


class ListPages(PublishPages):
    """The list of portfolios and what it asks the server for."""

    model: type[Portfolio]
    admin_site: admin.AdminSite

    list_display = ("named", "employer_name", "tag_names", "ordered", "state", "completed")
    list_filter = (
        ("employer", AutocompleteSelectFilter),
        ("tags", TagFilter),
        StateFilter,
        CoverFilter,
        YearFilter,
    )
    list_filter_submit = True
    list_per_page = 50
    list_max_show_all = 0  # a page of all of them is quick for no one
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each year is slow, and none for an employer is said
    actions = ("publish", "publish_now", "make_drafts", "duplicate_one")

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        renewed = of_old_link(request.GET) if request.method == "GET" else None
        if renewed is not None:
            return HttpResponseRedirect(f"{request.path}?{renewed}")
        answer: HttpResponse = super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]
        return answer

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PortfolioList

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[str, Any]] = {
            "reorder": ("reorder/", self.reorder_view),
            "state": ("<int:pk>/state/", self.state_view),
            "duplicate": ("<int:pk>/duplicate/", self.duplicate_view),
        }
        own = [
            path(route, self.admin_site.admin_view(require_POST(view)), name=f"portfolios_portfolio_{name}")
            for name, (route, view) in views.items()
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    # The columns' headings, and how they are sorted

    @admin.display(description=_("title"), ordering="title")
    def named(self, portfolio: Portfolio) -> str:
        return portfolio.title

    @admin.display(description=_("employer"), ordering=AbsentLast("employer__name"))
    def employer_name(self, portfolio: Portfolio) -> Any:
        return portfolio.employer

    @admin.display(description=_("tags"))
    def tag_names(self, portfolio: Portfolio) -> str:
        return ", ".join(placed.tag.name for placed in portfolio.placed_tags.all())

    @admin.display(description=_("order"), ordering="order")
    def ordered(self, portfolio: Portfolio) -> int:
        return portfolio.order

    @admin.display(description=_("state"), ordering=RANK)
    def state(self, portfolio: Portfolio) -> str:
        return str(portfolio.state_at(timezone.now()).label)

    @admin.display(description=_("completed at"), ordering=AbsentLast("completed_at"))
    def completed(self, portfolio: Portfolio) -> Any:
        return portfolio.completed_at and portfolio.completed_at.date()

    # What may be done

    def has_duplicate_permission(self, request: HttpRequest) -> bool:
        return publishing.may_add(request.user)

    @admin.action(description=_("Duplicate selected portfolio"), permissions=["duplicate"])
    def duplicate_one(self, request: HttpRequest, queryset: QuerySet[Portfolio]) -> HttpResponse | None:
        ids = list(queryset.order_by().values_list("pk", flat=True)[:2])
        if len(ids) == 1:
            return self.duplicated(request, ids[0])
        messages.error(request, gettext("Select one portfolio to duplicate, not several."))
        return None

    def duplicated(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a copy, and lead to its form."""
        copy = duplicate(pk)
        log(request.user, copy, ADDITION, new_values(copy, RESTORED))
        text = gettext("This is a copy, “%(title)s”. It is a draft; give it a title and a slug of its own.")
        messages.success(request, text % {"title": copy.title})
        return HttpResponseRedirect(reverse("admin:portfolios_portfolio_change", args=[copy.pk]))

    def duplicate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_duplicate_permission(request) or not publishing.may_view(request.user):
            raise PermissionDenied

        def answer() -> HttpResponse:
            try:
                return self.duplicated(request, pk)
            except Portfolio.DoesNotExist as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(reverse("admin:portfolios_portfolio_changelist"))

        return in_one_write(request, answer)

    # What the list's script asks for

    def reorder_view(self, request: HttpRequest) -> JsonResponse:
        """Move a portfolio before or after another one, or to a place in the list as its filters leave it."""

        def change() -> dict[str, Any]:
            if not self.has_publish_permission(request):
                raise PermissionDenied(gettext("You may not change the order of portfolios."))
            body = json_body(request)
            wanted = [name for name in ("before", "after", "place") if name in body]
            shown = body.get("shown", [])
            ids = [body.get("id"), *(body[name] for name in wanted), *(shown if isinstance(shown, list) else [None])]
            if len(wanted) != 1 or len(ids) > MAX_LIST or not all(type(pk) is int and 0 <= pk <= BIGGEST for pk in ids):
                raise BadRequest(unreadable())
            return write(lambda: self.moved(request, body["id"], wanted[0], body[wanted[0]], shown))

        return answer_in_json(change)

    def moved(self, request: HttpRequest, pk: int, side: str, target: int, shown: list[int]) -> dict[str, Any]:
        hold_table()
        ordering: Any = Portfolio._meta.ordering
        listed = self.get_changelist_instance(request).queryset.order_by(*ordering)  # type: ignore[attr-defined]
        other: int | None = target
        if side == "place":
            side, other = self.neighbour(listed.exclude(pk=pk), target)
        if other is not None:
            log_each(request.user, CHANGE, move(pk, **{side: other}))
        [portfolio] = found(pk)
        place = listed.filter(those_before(portfolio)).count() + 1
        orders = dict(Portfolio.objects.filter(pk__in=[pk, *shown]).values_list("pk", "order"))
        page = (place - 1) // self.list_per_page + 1
        return {"place": place, "page": page, "orders": orders}

    def neighbour(self, others: QuerySet[Portfolio], place: int) -> tuple[str, int | None]:
        """Return whom to stand before, or after, to come to a place among others, counted from 1."""
        ids = others.values_list("pk", flat=True)
        at = ids[max(place - 1, 0) :].first() if place > 0 else ids.first()
        return ("before", at) if at else ("after", ids.last())

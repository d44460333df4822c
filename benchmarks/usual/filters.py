import django_filters

from folio.portfolios.models import Portfolio, Tag


class PortfolioFilter(django_filters.FilterSet):
    id_min = django_filters.NumberFilter("id", "gte")
    id_max = django_filters.NumberFilter("id", "lte")
    order_min = django_filters.NumberFilter("order", "gte")
    order_max = django_filters.NumberFilter("order", "lte")
    created_date = django_filters.DateFilter("created_at", "date")
    updated_date = django_filters.DateFilter("updated_at", "date")
    created_from = django_filters.IsoDateTimeFilter("created_at", "gte")
    created_to = django_filters.IsoDateTimeFilter("created_at", "lte")
    updated_from = django_filters.IsoDateTimeFilter("updated_at", "gte")
    updated_to = django_filters.IsoDateTimeFilter("updated_at", "lte")
    completed_at_from = django_filters.IsoDateTimeFilter("completed_at", "gte")
    completed_at_to = django_filters.IsoDateTimeFilter("completed_at", "lte")
    has_image = django_filters.BooleanFilter("image", "isnull", exclude=True)
    has_description = django_filters.BooleanFilter("description", "isnull", exclude=True)
    has_employer = django_filters.BooleanFilter("employer", "isnull", exclude=True)
    employer_id = django_filters.NumberFilter("employer_id")
    tag_id = django_filters.NumberFilter("tags")
    tags_in = django_filters.ModelMultipleChoiceFilter(field_name="tags", queryset=Tag.objects.all())

    class Meta:
        model = Portfolio
        fields = ["is_active", "slug"]

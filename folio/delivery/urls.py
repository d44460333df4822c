"""What visitors read, under `/api/public/`."""

from typing import Any

from django.urls import path

from .description import PublicSchemaView
from .facets import FacetsView
from .feed import FeedView
from .groups import EmployerViewSet, TagViewSet
from .manifest import ManifestViewSet
from .portfolios import PortfolioViewSet
from .sitemap import SitemapView

urlpatterns: list[Any] = [
    path("portfolios/", PortfolioViewSet.as_view({"get": "list"}), name="public-portfolios"),
    path("portfolios/<str:slug>/", PortfolioViewSet.as_view({"get": "retrieve"}), name="public-portfolio"),
    path("facets/", FacetsView.as_view(), name="public-facets"),
    path("tags/", TagViewSet.as_view({"get": "list"}), name="public-tags"),
    path("tags/<str:slug>/", TagViewSet.as_view({"get": "retrieve"}), name="public-tag"),
    path("employers/", EmployerViewSet.as_view({"get": "list"}), name="public-employers"),
    path("employers/<str:slug>/", EmployerViewSet.as_view({"get": "retrieve"}), name="public-employer"),
    path("manifest/", ManifestViewSet.as_view({"get": "list"}), name="public-manifest"),
    path("feed.xml", FeedView.as_view(), name="public-feed"),
    path("sitemap.xml", SitemapView.as_view(), name="public-sitemap"),
    path("schema/", PublicSchemaView.as_view(), name="public-schema"),
]

"""What visitors read, under `/api/public/`."""

from typing import Any

from django.urls import path

from .portfolios import PortfolioViewSet

urlpatterns: list[Any] = [
    path("portfolios/", PortfolioViewSet.as_view({"get": "list"}), name="public-portfolios"),
    path("portfolios/<str:slug>/", PortfolioViewSet.as_view({"get": "retrieve"}), name="public-portfolio"),
]

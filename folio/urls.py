from django.contrib import admin
from django.urls import include, path, re_path
from rest_framework.routers import SimpleRouter

from folio.access.admin.passwords import change_own_password
from folio.access.admin.sign_in import sign_in
from folio.access.views import MeView, PermissionCodesView, SignInView, TokenViewSet
from folio.admin.options import command_search
from folio.admin.root import favicon, robots, root
from folio.admin.sessions import session
from folio.api.views import DocsView, SchemaView
from folio.delivery.webhooks.views import DeliveryViewSet, WebhookViewSet
from folio.media.files import serve_media
from folio.media.views import MediaViewSet
from folio.portfolios.preview_views import PreviewViewSet
from folio.portfolios.views import EmployerViewSet, LinkViewSet, MetaEntryViewSet, PortfolioViewSet, TagViewSet

resources = SimpleRouter(use_regex_path=False)
resources.register("portfolios", PortfolioViewSet, "portfolios")
resources.register("employers", EmployerViewSet, "employers")
resources.register("tags", TagViewSet, "tags")
resources.register("links", LinkViewSet, "links")
resources.register("meta", MetaEntryViewSet, "meta")
resources.register("media", MediaViewSet, "media")
resources.register("webhooks", WebhookViewSet, "webhooks")
resources.register("auth/tokens", TokenViewSet, "tokens")

handler500 = "folio.api.errors.failed"

urlpatterns = [
    path("", root, name="root"),
    path("favicon.ico", favicon, name="favicon"),
    path("robots.txt", robots, name="robots"),
    path(
        "api/portfolios/slug/<str:slug>/", PortfolioViewSet.as_view({"get": "retrieve_by_slug"}), name="portfolios-slug"
    ),
    path(
        "api/portfolios/<int:pk>/preview/",
        PreviewViewSet.as_view({"post": "share_preview", "delete": "end_previews"}),
        name="portfolios-preview",
    ),
    path("api/media/<int:pk>/usage/", MediaViewSet.as_view({"get": "usage"}), name="media-usage"),
    path("api/media/<int:pk>/file/", MediaViewSet.as_view({"put": "replace_file"}), name="media-replace-file"),
    path("api/webhooks/<int:pk>/secret/", WebhookViewSet.as_view({"post": "renew_secret"}), name="webhooks-secret"),
    path("api/webhooks/<int:pk>/deliveries/", DeliveryViewSet.as_view({"get": "list"}), name="webhooks-deliveries"),
    path("api/webhooks/deliveries/<int:pk>/send/", DeliveryViewSet.as_view({"post": "send"}), name="webhooks-send"),
    path("api/auth/token/", SignInView.as_view(), name="sign-in"),
    path("api/auth/me/", MeView.as_view(), name="me"),
    path("api/auth/permissions/", PermissionCodesView.as_view(), name="permissions"),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path("api/public/", include("folio.delivery.urls")),
    path("api/", include(resources.urls)),
    path("admin/i18n/", include("django.conf.urls.i18n")),
    path("admin/session/", session, name="session"),
    path("admin/login/", sign_in, name="admin-sign-in"),
    path("admin/password_change/", admin.site.admin_view(change_own_password), name="own-password"),
    path("admin/search/", admin.site.admin_view(command_search), name="search"),
    path("admin/", admin.site.urls),
    re_path(r"^media/(?P<path>.+)$", serve_media, name="media-file"),
]

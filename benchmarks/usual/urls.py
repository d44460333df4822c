from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .views import MediaViewSet, PortfolioViewSet

router = SimpleRouter()
router.register("portfolios", PortfolioViewSet)
router.register("media", MediaViewSet)

urlpatterns = [path("api/", include(router.urls))]

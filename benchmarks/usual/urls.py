from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .views import PortfolioViewSet

router = SimpleRouter()
router.register("portfolios", PortfolioViewSet)

urlpatterns = [path("api/", include(router.urls))]

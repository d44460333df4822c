"""Pictures for folders of projects, and the galleries that become of them."""

from folio.portfolios.models import Portfolio
from tests.factories import draw

RED, BLUE, GREEN = (draw(color=color) for color in ((200, 0, 0), (0, 0, 200), (0, 150, 0)))


def gallery(portfolio: Portfolio) -> list[str]:
    return [placed.media.name for placed in portfolio.gallery.all()]

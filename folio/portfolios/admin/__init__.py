from .placed import LinkAdmin, MetaEntryAdmin
from .portfolio import PortfolioAdmin
from .subjects import EmployerAdmin, TagAdmin

__all__ = ["EmployerAdmin", "LinkAdmin", "MetaEntryAdmin", "PortfolioAdmin", "TagAdmin"]

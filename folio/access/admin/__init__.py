"""People and keys in the admin site: users, groups as roles, and API keys."""

from .people import GroupAdmin, UserAdmin
from .tokens import TokenAdmin

__all__ = ["GroupAdmin", "TokenAdmin", "UserAdmin"]

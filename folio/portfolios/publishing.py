"""Who may add, change and publish portfolios in the admin site.

Besides the permissions behind the API's codes there is `draft_portfolio`, for those who write what others publish: it
lets them add entries and change drafts, and it never lets them say what is published, when, nor in which order. It only
adds to what someone may do by other permissions. The API knows nothing of it.
"""

from typing import Any

from .models import Portfolio


def may_draft(user: Any) -> bool:
    """Tell whether the user writes what others publish; this alone lets them see all entries in the admin site."""
    return bool(user.has_perm("portfolios.draft_portfolio"))


def may_view(user: Any) -> bool:
    return bool(
        user.has_perm("portfolios.view_portfolio") or user.has_perm("portfolios.change_portfolio")
    ) or may_draft(user)


def may_add(user: Any) -> bool:
    return bool(user.has_perm("portfolios.add_portfolio")) or may_draft(user)


def may_change(user: Any, portfolio: Portfolio | None = None) -> bool:
    """Tell whether the user may change this entry; without one, whether there may be any that they may change."""
    if user.has_perm("portfolios.change_portfolio"):
        return True
    return may_draft(user) and not (portfolio and portfolio.is_active)


def may_publish(user: Any, *, is_new: bool = False) -> bool:
    """Tell whether the user may say what is published, when and in which order; or that of an entry that `is_new`."""
    return bool(user.has_perm("portfolios.change_portfolio")) or (
        is_new and bool(user.has_perm("portfolios.add_portfolio"))
    )

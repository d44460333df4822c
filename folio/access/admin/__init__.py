"""People and keys in the admin site: the sign-in, users, groups as roles, and API keys."""

from django.contrib import admin

from .people import GroupAdmin, UserAdmin
from .sign_in import SignInForm
from .tokens import TokenAdmin

# Not by unfold's setting: it reads the form while the site is being made, when no page can be registered yet.
admin.site.login_form = SignInForm

__all__ = ["GroupAdmin", "SignInForm", "TokenAdmin", "UserAdmin"]

"""Members of staff, and the ways in which their access is withdrawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.live import Session
from tests.writers import Writers


class Member(NamedTuple):
    """Staff who may see tags, by a grant of their own or of their group."""

    key: str
    name: str
    user: int
    token: int


@dataclass(frozen=True)
class Withdrawal:
    """A way to withdraw a member's access, the status that they then get, and perhaps a way back."""

    withdraw: Callable[[Writers, Member], Any]
    status: int
    restore: str = ""
    by_group: bool = False


def by_orm(code: str) -> Callable[[Writers, Member], Any]:
    return lambda writers, member: writers.orm.run(code.format(**member._asdict()))


WITHDRAWALS = {
    "the key revoked through the API": Withdrawal(
        lambda writers, member: Session(writers.api.url, member.key).delete(f"/api/auth/tokens/{member.token}/"), 401
    ),
    "the key revoked on the admin site": Withdrawal(
        lambda writers, member: writers.site.submit(f"/admin/access/token/{member.token}/delete/", post="yes"), 401
    ),
    "the key revoked by SQL": Withdrawal(
        lambda writers, member: writers.database.execute("DELETE FROM access_token WHERE id = %s", member.token), 401
    ),
    "the key expired by SQL": Withdrawal(
        lambda writers, member: writers.database.execute(
            "UPDATE access_token SET expires_at = '2020-01-01 00:00:00+00:00' WHERE id = %s", member.token
        ),
        401,
        "Token.objects.filter(pk={token}).update(expires_at=None)",
    ),
    "the key narrowed": Withdrawal(
        by_orm("Token.objects.filter(pk={token}).update(codes=[4101])"),
        403,
        "Token.objects.filter(pk={token}).update(codes=None)",
    ),
    "the user deactivated on the admin site": Withdrawal(
        lambda writers, member: writers.site.submit(f"/admin/auth/user/{member.user}/change/", is_active=None),
        401,
        "User.objects.filter(pk={user}).update(is_active=True)",
    ),
    "the user deactivated by QuerySet.update": Withdrawal(
        by_orm("User.objects.filter(pk={user}).update(is_active=False)"),
        401,
        "User.objects.filter(pk={user}).update(is_active=True)",
    ),
    "the user no longer staff": Withdrawal(
        by_orm("User.objects.filter(pk={user}).update(is_staff=False)"),
        403,
        "User.objects.filter(pk={user}).update(is_staff=True)",
    ),
    "the user deleted": Withdrawal(by_orm("User.objects.get(pk={user}).delete()"), 401),
    "the permission withdrawn": Withdrawal(
        by_orm("User.objects.get(pk={user}).user_permissions.clear()"),
        403,
        "User.objects.get(pk={user}).user_permissions.add(Permission.objects.get(codename='view_tag'))",
    ),
    "the permission withdrawn on the admin site": Withdrawal(
        lambda writers, member: writers.site.submit(f"/admin/auth/user/{member.user}/change/", user_permissions=None),
        403,
    ),
    "the group's permission withdrawn": Withdrawal(
        by_orm("Group.objects.get(name='{name}').permissions.clear()"),
        403,
        "Group.objects.get(name='{name}').permissions.add(Permission.objects.get(codename='view_tag'))",
        by_group=True,
    ),
    "out of the group": Withdrawal(
        by_orm("User.objects.get(pk={user}).groups.clear()"),
        403,
        "User.objects.get(pk={user}).groups.add(Group.objects.get(name='{name}'))",
        by_group=True,
    ),
    "the group deleted": Withdrawal(by_orm("Group.objects.get(name='{name}').delete()"), 403, by_group=True),
}

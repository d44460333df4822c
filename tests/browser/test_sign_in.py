from collections.abc import Callable

from .conftest import Tab


def test_leads_to_the_home_page(tab: Tab) -> None:
    assert tab.page.locator("#user-tools, #nav-sidebar, nav").first.is_visible()

    tab.picture("home")


def test_says_what_is_wrong_with_a_wrong_password(tab_for: Callable[..., Tab]) -> None:
    tab = tab_for(None)
    tab.go("/admin/login/")
    tab.page.fill("[name=username]", "ada")
    tab.page.fill("[name=password]", "wrong")

    tab.page.click("#login-form [type=submit]")

    assert "correct username and password" in tab.page.content()
    assert tab.page.input_value("[name=username]") == "ada"

"""The tests' own browser: a window for all of them, in which none finds what another left."""

from tests.e2e.visitor import Visitor

ADDRESSES = ("http://one.test/", "http://127.0.0.1:1/")
LEFT = "[localStorage.left ?? null, sessionStorage.left ?? null, document.cookie]"


def opened(visitor: Visitor, address: str):
    """A tab at an address that nobody serves."""
    page = visitor.tab()
    page.route("**", lambda route: route.fulfill(body="<p>here", content_type="text/html"))
    page.goto(address)
    return page


def test_a_visitor_finds_nothing_that_was_left_by_another(browser):
    visitor = Visitor(browser)
    for address in ADDRESSES:
        page = opened(visitor, address)
        page.evaluate("localStorage.left = sessionStorage.left = document.cookie = 'left=1'")
        assert opened(visitor, address).evaluate(LEFT) == ["left=1", None, "left=1"]
    visitor.forget()
    assert page.is_closed()
    for address in ADDRESSES:
        assert opened(visitor, address).evaluate(LEFT) == [None, None, ""]
    visitor.leave()

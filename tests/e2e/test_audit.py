"""A person audits a random sample by keys, without seeing what the model thinks."""

import re

import pytest
from playwright.sync_api import expect

from diet_core.store.decisions.audit import start_audit
from tests.e2e.desk_page import DeskPage

pytestmark = pytest.mark.browser


def test_an_audit_is_drawn_and_reviewed_by_keys(page, server_of, store, scored):
    sample = start_audit(store, "reviews-v1", 20).example_ids
    store.close()
    server = server_of(store.workspace.root)
    desk = DeskPage(page, server, "reviews")
    page.goto(f"{server.address}/review")
    desk.is_drawn()
    page.get_by_role("combobox", name="Queue", exact=True).click()
    page.get_by_role("option", name="Audit: random sample").click()
    desk.shows(sample[0])
    expect(page).to_have_url(re.compile("queue=audit"))
    desk.text.click()  # out of the list, which takes keys for its own
    expect(page.get_by_text("Drawn at random, for the audit")).to_be_visible()
    expect(desk.fact("suggestion")).to_have_text("Hidden")
    for locator in (page.locator(".desk-prob"), page.locator(".desk-figures"), page.locator(".desk-near")):
        expect(locator).to_have_count(0)
    desk.press("k")
    expect(desk.progress).to_have_text(re.compile(r"^1 of 20 decided · .*\b0 %"))
    desk.press("d")
    expect(desk.progress).to_have_text(re.compile(r"^2 of 20 decided · .*50 %"))
    page.keyboard.press("s")  # shows the suggestion
    expect(desk.fact("suggestion")).to_contain_text(re.compile("negative|positive"))
    desk.shows(sample[2])
    desk.press("s")  # takes it
    expect(desk.progress).to_have_text(re.compile(r"^3 of 20 decided · .*67 %"))
    expect(desk.fact("suggestion")).to_have_text("Hidden")
    desk.is_saved()
    desk.reload()
    desk.shows(sample[3])
    expect(desk.progress).to_have_text(re.compile(r"^3 of 20 decided"))
    stored = desk.stored()
    assert stored["example_id"].tolist() == list(sample[:3])
    assert stored["action"].tolist() == ["keep", "drop", "relabel"]
    assert stored["queue_id"].nunique() == 1


def test_a_sample_is_drawn_on_the_page(page, server_of, store, scored):
    store.close()
    server = server_of(store.workspace.root)
    page.goto(f"{server.address}/review?queue=audit")
    size = page.get_by_role("spinbutton", name="Examples in the sample")
    size.fill("15")
    size.press("Enter")
    page.get_by_role("button", name="Draw the sample").click()
    desk = DeskPage(page, server, "reviews").is_drawn()
    expect(page.locator(".desk-place")).to_have_text("1 of 15")
    desk.press("u", "k")
    expect(desk.progress).to_have_text(re.compile("^2 of 15 decided"))

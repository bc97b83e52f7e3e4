"""How the review page is laid out: the card and all its buttons on a small screen without scrolling."""

STYLE = """<style>
.stMainBlockContainer {padding-top: 3.75rem; padding-bottom: 1rem;}
</style>"""

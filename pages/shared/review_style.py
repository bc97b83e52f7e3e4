"""How the review page is laid out: large text, and all buttons on a small screen without scrolling."""

STYLE = """<style>
.stMainBlockContainer {padding-top: 3.5rem; padding-bottom: 1rem;}
.st-key-review-text {
  height: clamp(9rem, 100vh - 27rem, 26rem); flex: none; overflow-y: auto; flex-wrap: nowrap;}
.st-key-review-text [data-testid="stText"] {
  font-size: 1.3rem; line-height: 1.55; overflow-wrap: anywhere; unicode-bidi: plaintext;}
.st-key-review-labels [data-testid="stText"] {font-weight: 600;}
.st-key-review-last button, .st-key-review-last button div {justify-content: flex-start; text-align: left;}
.st-key-review-side [data-testid="stMetricValue"] {font-size: 1.5rem;}
</style>"""

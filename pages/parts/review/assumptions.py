"""What the ranking of a run assumes of its labels, below the review card."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store


def ranking_assumptions(store: Store, run: RunRecord) -> None:
    """Draw which label is assumed to be written for which class; nothing for a run that does not say."""
    from diet_core.review.seeds import label_confusions

    flows = label_confusions(store, run.run_id)
    if not flows:
        return
    with st.expander("What the ranking assumes", icon=":material/alt_route:"):
        st.caption(
            "How often a label is thought to be written for another class, those with the most examples "
            "first: estimated from the models' doubts. A label that lies on a large flow is suspected sooner."
        )
        with st.container(gap=None):
            for flow in flows:
                st.text(f"{flow['given']} written for {flow['true']}: {_percent(flow['share'])}")


def _percent(share: float) -> str:
    """Return a share as people read it: small ones with the digit that tells them from none."""
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"

"""The app: page settings, navigation, and one box for whatever goes wrong."""

import streamlit as st

from pages.shared.errors import error_box

st.set_page_config(
    page_title="Data Diet", page_icon=":material/nutrition:", layout="wide", initial_sidebar_state=200
)

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/import_data.py", title="Import", icon=":material/upload_file:"),
        st.Page("pages/score.py", title="Score", icon=":material/speed:"),
        st.Page("pages/explore.py", title="Explore", icon=":material/bar_chart:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page("pages/review.py", title="Review", icon=":material/rate_review:"),
        st.Page("pages/prune.py", title="Prune", icon=":material/content_cut:"),
        st.Page("pages/export_data.py", title="Export", icon=":material/download:"),
    ]
)

# Before the page's imports, which cost a server's first visitor a second. Review's card needs the height.
if page.title != "Review":
    st.title("Data Diet" if page.title == "Home" else page.title)

with error_box():
    page.run()

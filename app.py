"""The app: page settings, navigation, and one box for whatever goes wrong."""

import streamlit as st

from pages.shared.errors import error_box

st.set_page_config(
    page_title="Data Diet", page_icon=":material/nutrition:", layout="wide", initial_sidebar_state=200
)

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/explore.py", title="Explore", icon=":material/bar_chart:"),
    ]
)

with error_box():
    page.run()

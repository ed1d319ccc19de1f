"""Addresses of the account pages, settings, help and search."""

from django.urls import path

from fleetledger.web.accounts import help_page, people_pages, sessions, settings_pages
from fleetledger.web.search import views as search

urlpatterns = [
    path("sign-in/", sessions.SignIn.as_view(), name="sign-in"),
    path("sign-out/", sessions.sign_out, name="sign-out"),
    path("set-up/<str:token>/", sessions.set_up, name="set-up"),
    path("settings/", settings_pages.profile, name="settings"),
    path("settings/password/", sessions.password, name="password"),
    path("settings/tokens/", settings_pages.token_list, name="settings-tokens"),
    path("settings/tokens/<int:token_id>/revoke/", settings_pages.token_revoke, name="settings-token-revoke"),
    path("settings/people/", people_pages.people, name="settings-people"),
    path("settings/people/new/", people_pages.new_person, name="settings-new-person"),
    path("settings/people/of/<str:username>/", people_pages.person, name="settings-person"),
    path("settings/people/of/<str:username>/<slug:act>/", people_pages.change_person, name="settings-change-person"),
    path("settings/rules/", settings_pages.rule_list, name="settings-rules"),
    path("settings/about/", settings_pages.about, name="settings-about"),
    path("help/", help_page.help_page, name="help"),
    path("search/", search.page, name="search"),
]

"""Addresses of runbooks and rule packs."""

from django.urls import path

from monitoring.alerts.rules import views

urlpatterns = [
    path("help/runbooks/", views.runbook_page, name="runbooks"),
    path("alerts/rules/packs/<slug:name>.yml", views.rule_pack, name="rule-pack"),
]

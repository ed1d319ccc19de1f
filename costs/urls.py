"""Addresses of the pages about money."""

from django.urls import path

from costs import finding, views, views_bills
from fleetledger.web.search import hits

hits.register("statements", finding.statements)

urlpatterns = [
    path("chargeback/", views.chargeback, name="chargeback"),
    path("chargeback/rows/<int:row_id>/", views.bill_row, name="bill-row"),
    path("chargeback/<str:period>/figures/days.json", views.days_figure, name="chargeback-days"),
    path("chargeback/<str:period>/<str:account>/", views.statement, name="statement"),
    path("bills/", views_bills.bills, name="bills"),
    path("bills/<int:import_id>/", views_bills.bill_import, name="bill-import"),
]

"""Addresses of the ledger under /api/v1/."""

from django.urls import path

from costs import api, api_imports

urlpatterns = [
    path("bill-imports", api_imports.BillImports.as_view(), name="api-bill-imports"),
    path("bill-imports/<int:delivery_id>", api_imports.BillImport.as_view(), name="api-bill-import"),
    path("charges", api.Charges.as_view(), name="api-charges"),
    path("statements", api.Statements.as_view(), name="api-statements"),
    path("statements/<str:account>", api.Statement.as_view(), name="api-statement"),
    path("statements/<str:account>/lines", api.StatementLines.as_view(), name="api-statement-lines"),
    path("periods", api.Periods.as_view(), name="api-periods"),
    path("periods/<str:period>", api.Period.as_view(), name="api-period"),
    path("periods/<str:period>/proof", api.Proof.as_view(), name="api-period-proof"),
]

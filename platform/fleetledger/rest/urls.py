"""The API's addresses that no other room has: inventory, jobs, the caller, the schema and its pages."""

from django.urls import URLPattern, URLResolver, path

from fleetledger.rest import docs, inventory, own

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/clusters", inventory.Clusters.as_view(), name="api-clusters"),
    path("api/v1/nodes", inventory.Nodes.as_view(), name="api-nodes"),
    path("api/v1/gpus", inventory.Gpus.as_view(), name="api-gpus"),
    path("api/v1/gpus/<str:uuid>", inventory.OneGpu.as_view(), name="api-gpu"),
    path("api/v1/teams", inventory.Teams.as_view(), name="api-teams"),
    path("api/v1/teams/<str:slug>", inventory.OneTeam.as_view(), name="api-team"),
    path("api/v1/ownership-rules", inventory.OwnershipRules.as_view(), name="api-ownership-rules"),
    path("api/v1/sources", inventory.Sources.as_view(), name="api-sources"),
    path("api/v1/sources/<str:name>", inventory.OneSource.as_view(), name="api-source"),
    path("api/v1/jobs/<uuid:job_id>", own.OneJob.as_view(), name="api-job"),
    path("api/v1/me", own.Me.as_view(), name="api-me"),
    path("api/v1/config-schema", own.ConfigSchema.as_view(), name="api-config-schema"),
    path("api/v1/schema/", docs.SchemaView.as_view(), name="api-schema"),
    path("api/v1/docs/", docs.docs, name="api-docs"),
]

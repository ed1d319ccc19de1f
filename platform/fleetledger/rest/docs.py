"""The OpenAPI document and a page to read and try it, from our own address alone."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView


class SchemaView(SpectacularAPIView):
    """YAML, or JSON with ?format=json."""

    authentication_classes: list[Any] = []
    throttle_classes: list[Any] = []


@login_not_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger UI, whose script and style come as files: the site's policy allows no others."""
    return render(request, "rest/docs.html")

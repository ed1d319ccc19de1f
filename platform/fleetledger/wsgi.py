"""The web part's entry point for granian and gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleetledger.settings")
application = get_wsgi_application()

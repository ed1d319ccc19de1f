"""The web part's entry point for granian and gunicorn."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleetledger.settings")
application = get_wsgi_application()
import_module("monitoring.alerts.intake").start()  # only now: its models need Django to be set up
import_module("monitoring.availability.outage.watch").watch.start()

"""The Celery app: the broker's settings with the one timetable of everything that recurs."""

import os
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleetledger.settings")

from django.conf import settings


def _broker_url(url: str) -> str:
    """Celery's spelling of a Redis URL: a socket is redis+socket:// to it, unix:// to redis-py."""
    return (
        "redis+socket://" + url.removeprefix("unix://").replace("?db=", "?virtual_host=")
        if url.startswith("unix://")
        else url
    )


app = Celery("fleetledger")
app.conf.update(
    broker_url=_broker_url(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600, "socket_timeout": 10, "socket_connect_timeout": 5},
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=1800,
    task_soft_time_limit=1740,
    task_default_queue="default",
    task_queues={"default": {}, "telemetry": {}, "bills": {}},
    task_routes={"monitoring.telemetry.*": {"queue": "telemetry"}, "costs.*": {"queue": "bills"}},
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone="UTC",
    enable_utc=True,
    beat_scheduler="redbeat.RedBeatScheduler",
    beat_max_loop_interval=5,
    redbeat_redis_url=settings.REDIS_URL,
    redbeat_key_prefix="fleetledger:redbeat:",
    redbeat_lock_timeout=30,
    redbeat_redis_options={"socket_timeout": 10, "socket_connect_timeout": 5},
    beat_schedule={
        "pull telemetry": {"task": "monitoring.telemetry.tasks.pull_all", "schedule": timedelta(seconds=60)},
        "scrape exporters": {"task": "monitoring.telemetry.tasks.scrape_all", "schedule": timedelta(seconds=30)},
        "re-read the last two hours": {
            "task": "monitoring.telemetry.tasks.reread_recent",
            "schedule": crontab(minute="*/15"),
        },
        "re-read yesterday": {
            "task": "monitoring.telemetry.tasks.reread_yesterday",
            "schedule": crontab(hour="0", minute="40"),
        },
        "check that time adds up": {
            "task": "monitoring.telemetry.tasks.check_identity",
            "schedule": crontab(hour="1", minute="10"),
        },
        "drop rolled-up facts": {
            "task": "monitoring.telemetry.tasks.drop_old_facts",
            "schedule": crontab(hour="1", minute="40"),
        },
        "forget old alerts": {
            "task": "monitoring.alerts.tasks.forget_old",
            "schedule": crontab(hour="2", minute="10"),
        },
        "check escalations": {"task": "monitoring.alerts.tasks.check_escalations", "schedule": timedelta(seconds=60)},
        "read calendars": {"task": "monitoring.alerts.tasks.read_calendars", "schedule": timedelta(minutes=1)},
        "ask probes": {
            "task": "monitoring.availability.tasks.run_due",
            "schedule": timedelta(seconds=5),
            "options": {"expires": 5},  # one that waited asks nothing that the next one would not
        },
        "evaluate objectives": {
            "task": "monitoring.availability.tasks.evaluate_objectives",
            "schedule": timedelta(seconds=15),
            "options": {"expires": 15},
        },
        "forget old hours of objectives": {
            "task": "monitoring.availability.tasks.forget_points",
            "schedule": crontab(hour="2", minute="20"),
        },
        "leave a tick": {
            "task": "monitoring.availability.tasks.tick",
            "schedule": timedelta(seconds=5),
            "options": {"expires": 10},
        },
        "forget old slots": {
            "task": "monitoring.availability.tasks.forget_old",
            "schedule": crontab(hour="2", minute="25"),
        },
        "count days of components": {
            "task": "monitoring.availability.tasks.roll_up",
            "schedule": timedelta(minutes=5),
            "options": {"expires": 300},
        },
        "follow hooks": {
            "task": "monitoring.availability.tasks.follow_hooks",
            "schedule": timedelta(seconds=10),
            "options": {"expires": 10},
        },
        "publish the status": {
            "task": "monitoring.availability.tasks.publish_status",
            "schedule": timedelta(seconds=20),
            "options": {"expires": 20},
        },
        "follow incidents": {
            "task": "monitoring.availability.tasks.follow_incidents",
            "schedule": timedelta(seconds=10),
            "options": {"expires": 10},
        },
        "import what waits": {"task": "costs.tasks.import_waiting", "schedule": crontab(minute="*/10")},
        "take in drift reports from folders": {
            "task": "drift.tasks.scan_folders",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        "weigh drift reports that wait": {
            "task": "drift.tasks.weigh_waiting",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        "compute windows of events that are over": {
            "task": "drift.tasks.close_windows",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        "forget old events of drift": {"task": "drift.tasks.prune", "schedule": crontab(minute="35")},
        "compute rows that wait": {"task": "drift.tasks.compute_waiting", "schedule": crontab(minute="*/5")},
        "follow mitigations of drift": {
            "task": "drift.tasks.follow_mitigations",
            "schedule": timedelta(seconds=10),
            "options": {"expires": 10},
        },
        "check that drift reports come": {
            "task": "drift.tasks.check_missing",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        "check that drift is decided on": {
            "task": "drift.tasks.check_reviews",
            "schedule": timedelta(minutes=1),
            "options": {"expires": 60},
        },
        "read drift reports that wait": {"task": "drift.tasks.import_waiting", "schedule": crontab(minute="*/10")},
        "allocate open periods": {"task": "costs.tasks.allocate_open_periods", "schedule": crontab(minute="25")},
    },
)
app.autodiscover_tasks(
    ["monitoring.telemetry", "monitoring.alerts", "monitoring.availability", "costs", "drift", "fleetledger.demo"]
)

"""Our own parts as components: looked at by the notifier, so that it goes on without Redis and Celery."""

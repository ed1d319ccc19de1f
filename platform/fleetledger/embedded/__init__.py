"""PostgreSQL and Redis from wheels, kept running by one supervisor; knows nothing of Django."""

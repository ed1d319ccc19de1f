"""The last words of our own parts that have no other place to leave them."""

from typing import ClassVar

from django.db import models


class PartTick(models.Model):
    """When a part last did what it is there for: `worker` by its name, `timetable` for a task that went all the way.

    `backup`: when the last one began that was written whole.
    """

    part = models.CharField(max_length=32)
    name = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["part", "name"], name="availability_tick_once")]

    def __str__(self) -> str:
        return f"{self.part} {self.name}".strip()

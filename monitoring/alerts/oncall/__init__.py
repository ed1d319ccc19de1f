"""On-call: whom we may wake, how, and who it is at an instant."""

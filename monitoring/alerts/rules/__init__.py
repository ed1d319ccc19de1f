"""Rules that we evaluate ourselves: PromQL on a source, facts of our own, heartbeats, and the rule pack we ship."""

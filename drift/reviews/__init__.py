"""What people decide of findings: the queue, verdicts, and thresholds that false alarms suggest."""

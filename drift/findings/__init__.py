"""From scores to findings: control of false alarms, hysteresis and grouping, as pure functions over frozen states."""

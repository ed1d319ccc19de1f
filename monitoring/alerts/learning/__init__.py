"""What the past teaches: how fast alerts were taken up, what was noise, whom it woke, and what to change."""

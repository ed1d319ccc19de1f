"""What is done about a finding: proposed, approved, sent once, followed to its end, with what it costs."""

"""What labels add: performance over windows, concept drift by event, and estimates while labels are still to come."""

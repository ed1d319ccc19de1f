"""How people are reached: contact methods that they prove to be theirs, their rules, and their quiet hours."""

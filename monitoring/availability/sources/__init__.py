"""Ways to look at a component; each turns the outside world into frozen dataclasses and knows no ORM."""

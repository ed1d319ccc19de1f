"""What pages are while the database is away: the last picture from a file, and a sentence instead of waiting."""

"""What stands around requests and notifications."""

"""What is known of each judge, measured and written down: the generator behind `make judge-cards`."""

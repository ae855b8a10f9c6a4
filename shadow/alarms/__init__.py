"""What is wrong with the machinery itself? Alarms on money, coverage, failures and backlogs, a file each."""

"""What would the figures be if the truth were known? Simulated providers, traffic and reviewers over generated tasks."""

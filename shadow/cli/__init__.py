"""What can be asked and done from a terminal? One file per command."""

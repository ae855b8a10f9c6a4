"""What do tests of, and against, a router need? Doubles that run for real: sockets, processes' worth of server, files."""

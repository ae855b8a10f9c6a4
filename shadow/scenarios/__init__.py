"""Does the loop end in the right state when something happens? Demos over HTTP, with real processes and a truth that is known."""

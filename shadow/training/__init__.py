"""How is the router's scorer trained on outcomes, and how good is it? Pure: no files, no clock, random only by a given seed."""

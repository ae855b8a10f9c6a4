"""Closed loop: a scorer trained anew is compared on later traffic before a person may put it in the place of the one in force."""

"""Can every rule win, and do rules contradict each other? An analysis of the conditions, without traffic."""

"""May a query type be routed for real, and with which thresholds?"""

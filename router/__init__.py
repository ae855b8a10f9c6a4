"""Which tier answers a request, and how does the answer get back to the client?"""

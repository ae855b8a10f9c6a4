"""Was the answer before this request good enough for its user?

Nobody says so outright, but people ask again in other words, or say that they are fed up. Both earn the next tier and are
noted with the request that they are about, so that training can learn from them.
"""

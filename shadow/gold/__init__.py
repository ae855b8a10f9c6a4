"""How good are the judges on answers of known truth, and is the set still what was frozen?"""

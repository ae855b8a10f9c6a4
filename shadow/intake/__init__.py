"""How do exchanges get from the spool to the database, exactly once?"""

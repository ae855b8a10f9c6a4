"""What is put before reviewers, and do they agree?"""

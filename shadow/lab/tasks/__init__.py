"""What is asked in the lab? Generated tasks of six kinds, each with an exact grader."""

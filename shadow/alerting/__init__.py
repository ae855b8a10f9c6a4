"""What is an alert called, when is somebody told about it, and in which words?"""

"""What is printed, one module a format.

It imports from commands and the folders before it.
"""

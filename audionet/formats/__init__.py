"""What is printed: one module a format, and what the commands say that they did.

It imports from commands and the folders before it.
"""

"""What is typed: the parser, the help, and which command runs.

It imports from formats and the folders before it.
"""

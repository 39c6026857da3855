"""The commands, one module each: what the command line calls and `import audionet` offers.

It imports from report and the folders before it.
"""

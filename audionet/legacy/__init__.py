"""The scripts of 2018, with their options, on today's commands.

It imports from all other folders.
"""

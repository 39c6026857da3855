"""What people wrote about their recordings: tables of labels, and files that say what is heard when.

It imports from tables and the folders before it.
"""

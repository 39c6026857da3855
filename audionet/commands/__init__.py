"""The commands, one module each: what the command line calls and `import audionet` offers; and what `prepare` and
`retrain` are made of: what has changed, drawing, the folder of pictures, what is looked at before a training.

It imports from report and the folders before it.
"""

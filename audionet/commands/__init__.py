"""The four steps, one module each: what the command line calls and `import audionet` offers."""

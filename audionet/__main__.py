"""`python -m audionet`."""

import sys

from audionet.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""Start ZipMap Studio: ``python main.py`` for the window, ``--headless`` for files only."""

import sys

from zipmap_app.app import main

if __name__ == "__main__":
    sys.exit(main())

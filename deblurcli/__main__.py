"""``python -m deblurcli``."""

from deblurcli.cli import main

if __name__ == "__main__":
    main()

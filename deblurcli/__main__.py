"""The entry point of ``deblurcli`` and ``python -m deblurcli``."""

INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interrupt while it still loads ends it like any other, without a traceback."""
    try:
        from deblurcli.cli import main as run

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()

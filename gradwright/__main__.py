"""The entry of the command `gradwright` and of `python -m gradwright`."""


def main() -> None:
    """Run the command and exit with its code: 0 fine, 1 a check failed, 2 wrong usage."""
    from gradwright.cli import cli

    cli(prog_name="gradwright")


if __name__ == "__main__":
    main()

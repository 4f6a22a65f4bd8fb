"""`python -m nswire`."""

from nswire.cli import main

if __name__ == "__main__":
    main()

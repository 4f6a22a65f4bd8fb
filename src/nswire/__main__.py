"""`python -m nswire`."""

from nswire.start import main

if __name__ == "__main__":
    main()

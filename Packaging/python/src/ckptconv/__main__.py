"""`python -m ckptconv` is the program."""

import os
import sys

from ckptconv._program import find_ckptconv_bin


def main() -> None:
    """Becomes the program, with the arguments of this process."""
    path = find_ckptconv_bin()
    os.execv(path, ["ckptconv", *sys.argv[1:]])


if __name__ == "__main__":
    main()

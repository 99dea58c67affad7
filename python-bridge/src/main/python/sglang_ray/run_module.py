# SPDX-License-Identifier: Apache-2.0
"""Runs a module as ``python -m`` does, but without the working directory on its path; run by path.

``run_module.py -m MODULE [ARGUMENT…]``. Python's own option for that (``-P``) exists since 3.11 only. The folder that
holds this package comes first. Nothing may be imported before the path is right: a file in a user's folder may have the
name of any module.
"""

import sys

if __name__ == "__main__":
    _here = __file__.rpartition("/")[0]
    _home = _here.rpartition("/")[0]
    sys.path[:] = [_home, *(entry for entry in sys.path if entry not in ("", _here, _home))]

    import runpy

    sys.argv[:2] = []
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

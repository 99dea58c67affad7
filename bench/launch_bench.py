#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what a launch costs: ours, a bare Ray script's, RLinf's. ``bench/README.md`` says how to run it."""

import sys

from launchbench.__main__ import main

sys.exit(main())

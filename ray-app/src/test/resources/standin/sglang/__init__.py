# SPDX-License-Identifier: Apache-2.0
"""A stand-in for SGLang in tests that need no real engine: it starts at once and answers over HTTP.

Put the folder above on PYTHONPATH of an environment that has the real package: then ``import sglang`` finds this one,
while everything that looks at the installed distribution (version, arguments) sees the real one.
"""

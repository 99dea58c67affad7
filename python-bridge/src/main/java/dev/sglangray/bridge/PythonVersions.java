/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import org.jspecify.annotations.Nullable;

/**
 * What an interpreter is and has.
 *
 * @param interpreter as it was named
 * @param executable where it really is
 * @param python its version
 * @param sglang version of SGLang, or null when absent
 * @param sglangRouter version of sglang-router, or null when absent
 * @param smg version of smg, or null when absent
 * @param ray version of Ray, or null when absent
 */
public record PythonVersions(
        String interpreter,
        String executable,
        String python,
        @Nullable String sglang,
        @Nullable String sglangRouter,
        @Nullable String smg,
        @Nullable String ray) {}

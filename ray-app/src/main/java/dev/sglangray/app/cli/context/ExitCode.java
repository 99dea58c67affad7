/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

/** What {@code sglang-ray} exits with. Documented in {@code docs/cli.md}. */
public final class ExitCode {
    /** Done. */
    public static final int OK = 0;

    /** The launch, the request or the clean-up failed. */
    public static final int FAILED = 1;

    /** The command line or the configuration is wrong; nothing was started. */
    public static final int USAGE = 2;

    /** The environment cannot do it: no such cluster, no Python with sglang, an unsupported Ray; nothing was started. */
    public static final int ENVIRONMENT = 3;

    /** The fleet was up and is gone, though this command was not asked to end it. */
    public static final int LOST = 4;

    /** Base of the exit status after a signal: 130 after Ctrl-C, 143 after SIGTERM. */
    static final int SIGNAL_BASE = 128;

    private ExitCode() {}
}

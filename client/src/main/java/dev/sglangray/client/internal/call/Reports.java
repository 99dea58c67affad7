/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

/** Says what a program's own code threw where no caller can be given it. */
public final class Reports {
    private static final System.Logger LOG = System.getLogger("dev.sglangray.client");

    private Reports() {}

    /**
     * Logs it as a warning.
     *
     * @param what whose code it was, for example {@code a batch's report of progress}
     */
    public static void thrown(String what, Throwable thrown) {
        LOG.log(System.Logger.Level.WARNING, what + " threw", thrown);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.keeper;

/** A failure inside a keeper, as text, so that it travels through Ray whatever its cause was. */
public final class KeeperFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public KeeperFailure(String message) {
        super(message);
    }
}

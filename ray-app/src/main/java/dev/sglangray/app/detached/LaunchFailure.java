/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

/** A failure inside an owner, as text, so that it travels through Ray whatever its cause was. */
public final class LaunchFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public LaunchFailure(String message) {
        super(message);
    }
}

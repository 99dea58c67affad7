/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

/** No Ray session could be had: a wrong address, an unsupported version, a head that did not start. */
public final class SessionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SessionException(String message) {
        super(message);
    }

    public SessionException(String message, Throwable cause) {
        super(message, cause);
    }
}

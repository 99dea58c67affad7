/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/** The server answered with a status other than 2xx. */
public final class ServerStatusException extends InferenceException {
    private final int status;
    private final String serverMessage;

    ServerStatusException(String message, int status, String serverMessage) {
        super(message, null);
        this.status = status;
        this.serverMessage = serverMessage;
    }

    /** The HTTP status, for example 400. */
    public int status() {
        return status;
    }

    /** What the server said, taken out of its JSON where it sent any, shortened; empty if it said nothing. */
    public String serverMessage() {
        return serverMessage;
    }
}

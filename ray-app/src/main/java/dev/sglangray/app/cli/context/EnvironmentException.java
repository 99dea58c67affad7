/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

/** This machine or this cluster cannot do what is asked; exit code 3. */
public final class EnvironmentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public EnvironmentException(String message) {
        super(message);
    }
}

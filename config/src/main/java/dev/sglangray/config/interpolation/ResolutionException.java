/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

/** An interpolation cannot be resolved. Inside this package only; what leaves it is a ConfigException. */
class ResolutionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String fix;

    ResolutionException(String message) {
        this(message, "");
    }

    ResolutionException(String message, String fix) {
        super(message);
        this.fix = fix;
    }

    String fix() {
        return fix;
    }

    /** A path goes on below something that has no keys. */
    static final class NotAContainer extends ResolutionException {
        private static final long serialVersionUID = 1L;

        NotAContainer(String message) {
            super(message);
        }
    }
}

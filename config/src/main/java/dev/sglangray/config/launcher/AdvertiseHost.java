/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.launcher;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What engines may say that they are reached at: a name or an address, without scheme and port. Stateless. */
public final class AdvertiseHost {
    private static final Set<String> WILDCARDS = Set.of("0.0.0.0", "::", "[::]", "*");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?");
    private static final Pattern VERSION_6 = Pattern.compile("\\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.:]*]?");

    private AdvertiseHost() {}

    /** Why a text cannot be such a host, as the end of a sentence that has the text's place as its subject. */
    public static Optional<String> refusal(String host) {
        if (WILDCARDS.contains(host)) {
            return Optional.of("cannot be '" + host + "', which means every address and leads to none");
        }
        boolean bracketed = host.startsWith("[");
        boolean version6 = VERSION_6.matcher(host).matches() && bracketed == host.endsWith("]");
        return version6 || NAME.matcher(host).matches()
                ? Optional.empty()
                : Optional.of(
                        "must be a host's name or address without scheme and port (the port is the engine's own), not '"
                                + host + "'");
    }
}

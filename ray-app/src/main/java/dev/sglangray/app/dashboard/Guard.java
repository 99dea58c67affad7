/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import com.sun.net.httpserver.Headers;
import dev.sglangray.app.monitor.PageServer.Page;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which requests the page answers. Immutable.
 *
 * @param key what a request for data must bring; null for nothing
 * @param loopback whether only programs of this node reach the page. A page of another site may then reach it through the browser by a
 *     name of its own, so that only names of this machine are answered
 */
record Guard(@Nullable String key, boolean loopback) {
    private static final String BEARER = "Bearer ";
    private static final Pattern LOOPBACK = Pattern.compile("(.+\\.)?localhost|127(\\.\\d{1,3}){3}|\\[::1\\]");
    private static final Pattern PORT = Pattern.compile(":\\d+$");
    /** A request that a browser sends for the page itself, or for a person. */
    private static final Set<String> OWN_SITES = Set.of("same-origin", "none");

    /** Why the document is refused; empty when it is not. It has no data, so a link on another page may lead to it. */
    Optional<Page> refusesDocument(Headers headers) {
        boolean followed = "navigate".equals(headers.getFirst("Sec-Fetch-Mode"))
                && "document".equals(headers.getFirst("Sec-Fetch-Dest"));
        return isForeign(headers, followed) ? Optional.of(foreign()) : Optional.empty();
    }

    /** Why data is refused; empty when it is not. */
    Optional<Page> refusesData(Headers headers) {
        if (isForeign(headers, false)) {
            return Optional.of(foreign());
        }
        return hasKey(headers)
                ? Optional.empty()
                : Optional.of(Page.words(401, "this needs the fleet's key, as 'Authorization: Bearer KEY'")
                        .with("WWW-Authenticate", "Bearer"));
    }

    private static Page foreign() {
        return Page.words(403, "this is not answered to pages of other sites");
    }

    private boolean isForeign(Headers headers, boolean fromAnySite) {
        String host = headers.getFirst("Host");
        String site = headers.getFirst("Sec-Fetch-Site");
        String origin = headers.getFirst("Origin");
        if (host == null || (loopback && !isOfThisMachine(host))) {
            return true;
        }
        return (site != null && !OWN_SITES.contains(site) && !fromAnySite) || (origin != null && !isOwn(origin, host));
    }

    private static boolean isOfThisMachine(String host) {
        String name = PORT.matcher(host).replaceFirst("").toLowerCase(Locale.ROOT);
        return LOOPBACK.matcher(name).matches();
    }

    /** With https too: something in between may speak it. */
    private static boolean isOwn(String origin, String host) {
        try {
            return host.equalsIgnoreCase(new URI(origin).getRawAuthority());
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private boolean hasKey(Headers headers) {
        if (key == null) {
            return true;
        }
        String given = headers.getFirst("Authorization");
        return given != null
                && given.startsWith(BEARER)
                && MessageDigest.isEqual(
                        given.substring(BEARER.length()).getBytes(StandardCharsets.UTF_8),
                        key.getBytes(StandardCharsets.UTF_8));
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "Guard[" + (key == null ? "no key" : "a key") + (loopback ? ", loopback]" : "]");
    }
}

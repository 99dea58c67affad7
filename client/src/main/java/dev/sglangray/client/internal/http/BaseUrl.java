/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import io.netty.util.NetUtil;
import java.net.IDN;
import java.net.Inet6Address;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The address of an engine or router, perhaps with a path in front of theirs. Immutable. */
public final class BaseUrl {
    private static final int MAX_SHOWN = 200;
    private static final String EXAMPLE = "an example is http://10.0.0.1:30000";
    private static final Pattern URL = Pattern.compile(
            "(?i)(https?)://(\\[[0-9a-f:.]+]|[^\\p{Cntrl}\\s\"#%/:<>?\\[\\\\\\]^`{|}]+)(?::(\\d{0,9}))?(/[^?#]*)?");

    /** What follows the last colon of host and port, if that colon is not within an IPv6 address. */
    private static final Pattern PORT = Pattern.compile("(?:\\[[^]]*]|[^:\\[\\]]+):([^:\\]]*)");

    private final Target target;
    private final String hostHeader;
    private final String path;

    /** Where to connect to. An IPv6 address has no brackets. */
    public record Target(boolean isHttps, String host, int port) {}

    private BaseUrl(Target target, String path) {
        this.target = target;
        this.path = path;
        String host = target.host().contains(":") ? "[" + target.host() + "]" : target.host();
        this.hostHeader = target.port() == defaultPort(target.isHttps()) ? host : host + ":" + target.port();
    }

    /**
     * Reads a base URL.
     *
     * @throws IllegalArgumentException saying what is wrong with the text; what may be a password or another secret in it is not
     *     repeated
     */
    public static BaseUrl parse(String text) {
        String stripped = text.strip();
        if (stripped.isEmpty()) {
            throw refused("it is empty; " + EXAMPLE);
        }
        if (stripped.contains("@")) {
            throw refused(
                    "it has a user name or password in it, in front of an \"@\"; give a key with apiKey(…) instead");
        }
        String base = stripped.replaceFirst("(?s)[?#].*", "");
        Matcher url = URL.matcher(base);
        String host = url.matches() ? host(url.group(2)) : null;
        boolean https = host != null && url.group(1).equalsIgnoreCase("https");
        String port = host == null || url.group(3) == null ? "" : url.group(3);
        if (host == null || !isPort(port)) {
            throw refused(whyNone(stripped));
        }
        if (base.length() < stripped.length()) {
            throw refused("it has a query or fragment in it; only scheme, host, port and path are allowed");
        }
        String path = url.group(4) == null ? "" : encode(url.group(4).replaceFirst("/+$", ""));
        return new BaseUrl(new Target(https, host, port.isEmpty() ? defaultPort(https) : Integer.parseInt(port)), path);
    }

    private static @Nullable String host(String written) {
        if (written.startsWith("[")) {
            return NetUtil.createInetAddressFromIpAddressString(written.substring(1, written.length() - 1))
                            instanceof Inet6Address address
                    ? NetUtil.toAddressString(address)
                    : null;
        }
        try {
            return IDN.toASCII(written, IDN.ALLOW_UNASSIGNED).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            return null; // A part of the name is empty or too long.
        }
    }

    private static int defaultPort(boolean https) {
        return https ? 443 : 80;
    }

    private static String whyNone(String text) {
        int scheme = text.indexOf("://");
        if (scheme < 0) {
            String hint =
                    !URL.matcher("http://" + text).matches() ? EXAMPLE : "did you mean \"http://" + shown(text) + "\"?";
            return "\"" + shown(text) + "\" has no scheme; " + hint;
        }
        if (!text.substring(0, scheme).matches("(?i)https?")) {
            return "its scheme is \"" + shown(text.substring(0, scheme)) + "\"; allowed are http and https";
        }
        String address = text.substring(scheme + 3).replaceFirst("[/\\\\?#].*", "");
        Matcher port = PORT.matcher(address);
        if (!port.matches() || isPort(port.group(1))) {
            return "\"" + shown(text) + "\" has no valid host; " + EXAMPLE;
        }
        // Anything but a number may be a password whose "@" was forgotten.
        String seen = port.group(1).matches("\\d{1,20}") ? port.group(1) : "not a number";
        return "its port is " + seen + "; allowed are 1 to 65535";
    }

    private static boolean isPort(String text) {
        return text.isEmpty()
                || (text.matches("\\d{1,9}") && Integer.parseInt(text) >= 1 && Integer.parseInt(text) <= 65535);
    }

    public Target target() {
        return target;
    }

    /**
     * What stands in a request's first line for {@code path}.
     *
     * @throws IllegalArgumentException if the path does not begin with a slash
     */
    public String target(String path) {
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("the path \"" + path + "\" does not begin with a slash");
        }
        return this.path + encode(path);
    }

    /** The whole URL of {@code path}, which begins with a slash and may have a query. */
    public String resolve(String path) {
        return origin() + target(path);
    }

    private String origin() {
        return (target.isHttps() ? "https://" : "http://") + hostHeader;
    }

    /** Escapes what cannot stand in a URL; what is escaped already stays. */
    private static String encode(String text) {
        if (text.chars().allMatch(BaseUrl::isAllowed)) {
            return text;
        }
        StringBuilder encoded = new StringBuilder();
        for (byte next : text.getBytes(StandardCharsets.UTF_8)) {
            if (isAllowed(next)) {
                encoded.append((char) next);
            } else {
                encoded.append(String.format("%%%02X", next));
            }
        }
        return encoded.toString();
    }

    private static boolean isAllowed(int c) {
        return c > ' ' && c < 0x7f && "\"#<>\\^`{|}".indexOf(c) < 0;
    }

    /** The value of the {@code Host} header. */
    public String hostHeader() {
        return hostHeader;
    }

    /** The URL without a slash at its end. */
    @Override
    public String toString() {
        return origin() + path;
    }

    /** For people: without a query, where keys may stand, and without what a terminal acts on. */
    private static String shown(String text) {
        String visible = text.replaceFirst("[?#](?s:.*)", "?…").replaceAll("\\p{Cntrl}", "�");
        return visible.length() <= MAX_SHOWN ? visible : visible.substring(0, MAX_SHOWN) + "…";
    }

    private static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("the base URL is refused: " + why);
    }
}

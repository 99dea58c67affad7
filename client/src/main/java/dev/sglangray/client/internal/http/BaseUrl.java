/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/** The address of an engine or router, perhaps with a path in front of theirs. */
public final class BaseUrl {
    private static final int MAX_KNOWN = 64;
    private static final int MAX_SHOWN = 200;
    private static final String EXAMPLE = "an example is http://10.0.0.1:30000";

    /** What follows the last colon of host and port, if that colon is not within an IPv6 address. */
    private static final Pattern PORT = Pattern.compile("(?:\\[[^]]*]|[^:\\[\\]]+):([^:\\]]*)");

    private final HttpUrl url;
    private final String text;
    private final Target target;
    private final Map<String, String> targets = new ConcurrentHashMap<>();

    /** Where to connect to. */
    public record Target(boolean isHttps, String host, int port) {}

    private BaseUrl(HttpUrl url) {
        this.url = url;
        this.text = url.toString().replaceFirst("/+$", "");
        this.target = new Target(url.isHttps(), url.host(), url.port());
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
        HttpUrl url = HttpUrl.parse(stripped);
        if (url == null) {
            throw refused(whyNone(stripped));
        }
        if (url.encodedQuery() != null || url.encodedFragment() != null) {
            throw refused("it has a query or fragment in it; only scheme, host, port and path are allowed");
        }
        return new BaseUrl(url);
    }

    private static String whyNone(String text) {
        int scheme = text.indexOf("://");
        if (scheme < 0) {
            String hint =
                    HttpUrl.parse("http://" + text) == null ? EXAMPLE : "did you mean \"http://" + shown(text) + "\"?";
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

    /** The URL of {@code path}, which begins with a slash and may have a query. */
    public HttpUrl resolve(String path) {
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("the path \"" + path + "\" does not begin with a slash");
        }
        return HttpUrl.get(this + path);
    }

    public Target target() {
        return target;
    }

    /** What stands in the request's first line for {@code path}. */
    public String target(String path) {
        String known = targets.get(path);
        if (known != null) {
            return known;
        }
        String made = encode(path);
        if (targets.size() < MAX_KNOWN) {
            targets.put(path, made);
        }
        return made;
    }

    private String encode(String path) {
        HttpUrl resolved = resolve(path);
        String query = resolved.encodedQuery();
        return query == null ? resolved.encodedPath() : resolved.encodedPath() + "?" + query;
    }

    /** The value of the {@code Host} header. */
    public String hostHeader() {
        String host = target.host().contains(":") ? "[" + target.host() + "]" : target.host();
        return url.port() == HttpUrl.defaultPort(url.scheme()) ? host : host + ":" + url.port();
    }

    /** The URL without a slash at its end. */
    @Override
    public String toString() {
        return text;
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

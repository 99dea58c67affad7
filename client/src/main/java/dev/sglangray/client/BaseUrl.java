/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import okhttp3.HttpUrl;

/** The address of an engine or router, perhaps with a path in front of theirs. */
final class BaseUrl {
    private static final int MAX_KNOWN = 64;

    private final HttpUrl url;
    private final String text;
    private final Target target;
    private final Map<String, String> targets = new ConcurrentHashMap<>();

    /** Where to connect to. */
    record Target(boolean isHttps, String host, int port) {}

    private BaseUrl(HttpUrl url) {
        this.url = url;
        this.text = url.toString().replaceFirst("/+$", "");
        this.target = new Target(url.isHttps(), url.host(), url.port());
    }

    /** @throws IllegalArgumentException saying what is wrong with the text */
    static BaseUrl parse(String text) {
        HttpUrl url = HttpUrl.parse(text.strip());
        if (url == null) {
            String hint = text.contains("://") ? "" : "; did you mean \"http://" + text.strip() + "\"?";
            throw refused("\"" + withoutUserInfo(text) + "\" is not an http or https URL" + hint);
        }
        if (!url.encodedUsername().isEmpty() || !url.encodedPassword().isEmpty()) {
            throw refused("it has a user name or password in it; give a key with apiKey(…) instead");
        }
        if (url.encodedQuery() != null || url.encodedFragment() != null) {
            throw refused("it has a query or fragment in it; only scheme, host, port and path are allowed");
        }
        return new BaseUrl(url);
    }

    /** The URL of {@code path}, which begins with a slash and may have a query. */
    HttpUrl resolve(String path) {
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("the path \"" + path + "\" does not begin with a slash");
        }
        return HttpUrl.get(this + path);
    }

    Target target() {
        return target;
    }

    /** What stands in the request's first line for {@code path}. */
    String target(String path) {
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
    String hostHeader() {
        String host = target.host().contains(":") ? "[" + target.host() + "]" : target.host();
        return url.port() == HttpUrl.defaultPort(url.scheme()) ? host : host + ":" + url.port();
    }

    /** The URL without a slash at its end. */
    @Override
    public String toString() {
        return text;
    }

    private static String withoutUserInfo(String text) {
        return text.replaceFirst("//[^/]*@", "//…@");
    }

    private static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("the base URL is refused: " + why);
    }
}

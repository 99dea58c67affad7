/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import okhttp3.HttpUrl;

/** The address of an engine or router, perhaps with a path in front of theirs. */
record BaseUrl(HttpUrl url) {
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

    /** The URL without a slash at its end. */
    @Override
    public String toString() {
        return url.toString().replaceFirst("/+$", "");
    }

    private static String withoutUserInfo(String text) {
        return text.replaceFirst("//[^/]*@", "//…@");
    }

    private static IllegalArgumentException refused(String why) {
        return new IllegalArgumentException("the base URL is refused: " + why);
    }
}

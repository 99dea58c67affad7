/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.PageServer.Page;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Objects;

/** The one document of the page: it has all that it needs, and no data. Stateless. */
final class Document {
    private Document() {}

    /** With a policy that allows its own script and style, and connections to where it came from, and nothing else. */
    static Page page() {
        try (InputStream stream = Objects.requireNonNull(Document.class.getResourceAsStream("dashboard.html"))) {
            String html = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            return Page.of(200, "text/html; charset=utf-8", html)
                    .with(
                            "Content-Security-Policy",
                            "default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                                    .formatted(hash(html, "script"), hash(html, "style")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String hash(String html, String tag) {
        String begin = "<" + tag + ">";
        String inside = html.substring(html.indexOf(begin) + begin.length(), html.indexOf("</" + tag + ">"));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(inside.getBytes(StandardCharsets.UTF_8));
            return "sha256-" + Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}

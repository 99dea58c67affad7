/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import okhttp3.HttpUrl;

/** The one spelling of a server's base URL: a router takes each spelling for a server of its own. Stateless. */
public final class ServerUrl {
    private ServerUrl() {}

    /**
     * The URL as {@code scheme://host:port}: scheme and host in small letters, IPv6 addresses as short as they can be, the port
     * always there, no slash at the end.
     *
     * @throws IllegalArgumentException when the text is no base URL of an HTTP server; the message shows no password
     */
    public static String of(String text) {
        String shown = "'" + text.replaceAll("//.*@", "//***@") + "'";
        HttpUrl url = HttpUrl.parse(text);
        if (url == null) {
            String hint = text.contains("://") || text.isBlank() ? "" : "; did you mean http://" + text.strip() + "?";
            throw new IllegalArgumentException("the server's URL is " + shown
                    + ", and must be of the form http://HOST:PORT or https://HOST:PORT" + hint);
        }
        String base = of(url.scheme(), url.host(), url.port());
        if (!url.encodedUsername().isEmpty() || !url.encodedPassword().isEmpty()) {
            throw new IllegalArgumentException("the server's URL is " + shown
                    + ", and must have no user name and no password; a key goes into api_key");
        }
        if (!url.encodedPath().equals("/") || url.encodedQuery() != null || url.encodedFragment() != null) {
            throw new IllegalArgumentException(
                    "the server's URL is " + shown + ", and must be a base URL without a path: " + base);
        }
        return base;
    }

    /** The URL of a server of ours, by a host without brackets. */
    public static String of(String host, int port) {
        HttpUrl url = new HttpUrl.Builder().scheme("http").host(host).port(port).build();
        return of(url.scheme(), url.host(), url.port());
    }

    private static String of(String scheme, String host, int port) {
        return scheme + "://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    /**
     * The URL by which a server is known already: that of the known ones which has the same port at the same address; the URL itself
     * when there is none. Asks the name service where a host is a name.
     *
     * @param url one that {@link #of(String)} returned
     * @param known such URLs
     * @param nodeIp the address of this node, which is also meant by {@code localhost}
     */
    public static String known(String url, Collection<String> known, String nodeIp) {
        HttpUrl wanted = HttpUrl.get(url);
        if (known.contains(url)) {
            return url;
        }
        Set<String> addresses = Set.of();
        for (String other : known) {
            HttpUrl there = HttpUrl.parse(other);
            if (there != null && there.port() == wanted.port()) {
                addresses = addresses.isEmpty() ? addresses(wanted.host(), nodeIp) : addresses;
                if (addresses(there.host(), nodeIp).stream().anyMatch(addresses::contains)) {
                    return other;
                }
            }
        }
        return url;
    }

    private static Set<String> addresses(String host, String nodeIp) {
        try {
            return Stream.of(InetAddress.getAllByName(host))
                    .flatMap(address -> address.isLoopbackAddress()
                            ? Stream.of(address.getHostAddress(), nodeIp)
                            : Stream.of(address.getHostAddress()))
                    .map(ServerUrl::literal)
                    .collect(Collectors.toSet());
        } catch (UnknownHostException e) {
            return Set.of(host);
        }
    }

    /** An address in the form that Java gives all of them. */
    private static String literal(String address) {
        try {
            return InetAddress.getByName(address).getHostAddress();
        } catch (UnknownHostException e) {
            return address;
        }
    }
}

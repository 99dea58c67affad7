/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.config.error.Secrets;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of a Ray cluster's control store (GCS), {@code host:port}.
 *
 * <p>Checked strictly, because Ray's Java runtime ends the process natively on anything else: {@code auto} aborts the
 * JVM, and an empty address makes it start a cluster of its own, which at exit stops every Ray process on the machine.
 *
 * @param host host name or IPv4 address
 * @param port 1 to 65535
 */
public record RayAddress(String host, int port) {
    private static final Pattern HOST_PORT = Pattern.compile("(?:([A-Za-z0-9._-]+)|\\[([0-9A-Fa-f:.%]+)]):(\\d{1,5})");

    /**
     * Parses {@code host:port}.
     *
     * @throws SessionException when the text is not of that form, or names an IPv6 address
     */
    public static RayAddress parse(String text, String source) {
        String trimmed = text.trim();
        Matcher matcher = HOST_PORT.matcher(trimmed);
        if (!matcher.matches()) {
            throw new SessionException(source + " is '" + Secrets.inText(trimmed)
                    + "', which is not an address of the form host:port\n" + hint(trimmed));
        }
        int port = Integer.parseInt(matcher.group(3));
        if (port < 1 || port > 65535) {
            throw new SessionException(source + " is '" + trimmed + "': the port must be between 1 and 65535");
        }
        if (matcher.group(1) == null) {
            throw new SessionException(
                    source + " is '" + trimmed + "', and Ray's Java runtime takes no IPv6 address there"
                            + "\nStart the nodes with names that lead to their IPv6 addresses (ray start --node-ip-address=NAME), and give the "
                            + "head's: NAME:" + port);
        }
        return new RayAddress(matcher.group(1), port);
    }

    private static String hint(String text) {
        if (text.startsWith("ray://")) {
            return "ray:// is Ray Client, which Java does not have; give the head's own address, as in 10.0.0.1:6379";
        }
        if (text.startsWith("http://") || text.startsWith("https://")) {
            return "that is the dashboard, where jobs are submitted; give the head's own address, as in 10.0.0.1:6379";
        }
        if (text.equals("auto") || text.equals("local")) {
            return "Ray's Java runtime does not know this word; give the head's own address, as in 10.0.0.1:6379, "
                    + "or --local for a head that lives as long as this command";
        }
        return "example: 10.0.0.1:6379";
    }

    /**
     * Proves that something listens at the address, so that a typing error is reported in seconds and not after a minute.
     *
     * @throws SessionException when no connection can be made within the timeout
     */
    public void requireReachable(Duration timeout) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), Math.toIntExact(timeout.toMillis()));
        } catch (IOException e) {
            throw new SessionException(
                    "no Ray cluster answers at " + this + " (" + e.getMessage() + ")\n"
                            + "Is its head running, and is this the address that `ray start --head` printed?",
                    e);
        }
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}

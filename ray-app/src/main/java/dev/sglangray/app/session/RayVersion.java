/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A Ray release, compared by major, minor and patch number (a suffix such as {@code rc1} is ignored).
 *
 * <p>The jar is tested with the oldest and the newest supported release: {@link #OLDEST} and {@link #NEWEST}.
 */
public record RayVersion(int major, int minor, int patch) implements Comparable<RayVersion> {
    /** The oldest release that is supported, and whose API the jar is compiled against. */
    public static final RayVersion OLDEST = new RayVersion(2, 39, 0);

    /** The newest release that is supported. */
    public static final RayVersion NEWEST = new RayVersion(2, 60, 0);

    private static final Pattern FORM = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})(?:\\.(\\d{1,4}))?.*");

    /**
     * Parses {@code 2.60.0}, {@code 2.60} or {@code 2.60.0rc1}.
     *
     * @throws SessionException when the text does not begin with two numbers
     */
    public static RayVersion parse(String text) {
        Matcher matcher = FORM.matcher(text.trim());
        if (!matcher.matches()) {
            throw new SessionException("'" + text + "' is not a version of Ray");
        }
        String patch = matcher.group(3);
        return new RayVersion(
                Integer.parseInt(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                patch == null ? 0 : Integer.parseInt(patch));
    }

    /** Whether this release lies between the oldest and the newest supported one; later patches of the newest do. */
    public boolean isSupported() {
        return compareTo(OLDEST) >= 0 && major == NEWEST.major && minor <= NEWEST.minor;
    }

    /**
     * Refuses an unsupported release.
     *
     * @param where what has this version, for the message, such as "the Ray of /usr/bin/python3"
     * @throws SessionException naming the version and the supported range
     */
    public void requireSupported(String where) {
        if (!isSupported()) {
            throw new SessionException(
                    where + " is Ray " + this + "; supported are " + OLDEST + " to " + NEWEST.major + "." + NEWEST.minor
                            + ".x\nInstall a supported one, for example: pip install 'ray[default]==" + NEWEST + "'");
        }
    }

    @Override
    public int compareTo(RayVersion other) {
        return Comparator.comparingInt(RayVersion::major)
                .thenComparingInt(RayVersion::minor)
                .thenComparingInt(RayVersion::patch)
                .compare(this, other);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + patch;
    }
}

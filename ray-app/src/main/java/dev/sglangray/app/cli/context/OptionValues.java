/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.cli.show.Console;
import dev.sglangray.app.session.RayAddress;
import dev.sglangray.app.session.SessionException;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.config.launcher.GroupName;
import dev.sglangray.config.yaml.TextFile;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * What options may hold. picocli asks these while it reads the command line, so a wrong value is refused before anything starts, with
 * the option's name in front of the words here. Stateless.
 */
public final class OptionValues {
    /** About 23 days; with more, milliseconds do not fit where the HTTP client and Ray keep them. */
    private static final int MOST_SECONDS = 2_000_000;

    private static final int MOST_ACCELERATORS = 100_000;

    private OptionValues() {}

    /** A number of seconds, from 1. */
    public static final class Seconds implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String text) {
            return Duration.ofSeconds(whole(text, "a number of seconds", 1, MOST_SECONDS));
        }
    }

    /** How messages are written. */
    public static final class Format implements ITypeConverter<Console.LogFormat> {
        @Override
        public Console.LogFormat convert(String text) {
            for (Console.LogFormat format : Console.LogFormat.values()) {
                if (format.name().equalsIgnoreCase(text)) {
                    return format;
                }
            }
            throw new TypeConversionException("'" + text + "' is not 'text' or 'json'");
        }
    }

    /** A whole number, from 1. */
    public static final class Positive implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return whole(text, "a whole number", 1, Integer.MAX_VALUE);
        }
    }

    /** A whole number, from 0. */
    public static final class NotNegative implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return whole(text, "a whole number", 0, Integer.MAX_VALUE);
        }
    }

    /** A whole number. */
    public static final class Whole implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return whole(text, "a whole number", Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
    }

    /** How many accelerators a node has. */
    static final class Accelerators implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            return whole(text, "a number of accelerators", 0, MOST_ACCELERATORS);
        }
    }

    /** A sampling temperature. */
    public static final class Temperature implements ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            double value;
            try {
                value = Double.parseDouble(text);
            } catch (NumberFormatException e) {
                value = Double.NaN;
            }
            if (!(value >= 0) || Double.isInfinite(value)) {
                throw refused(text, "is no number from 0");
            }
            return value;
        }
    }

    /** The URL of an engine or router. */
    public static final class Url implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            try {
                var unused = InferenceHttpClient.builder().baseUrl(text);
                return text;
            } catch (IllegalArgumentException e) {
                // Its words hide what the URL holds of a user's name and password.
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    /** The address of a Ray cluster. */
    static final class Address implements ITypeConverter<RayAddress> {
        @Override
        public RayAddress convert(String text) {
            try {
                return RayAddress.parse(text, "it");
            } catch (SessionException e) {
                throw new TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }

    /** The name of a group of workers, or of a Ray namespace. */
    public static final class Name implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            GroupName.refusal(text).ifPresent(why -> {
                throw new TypeConversionException(why);
            });
            return text;
        }
    }

    /**
     * One worker of a fleet.
     *
     * @param isRouter whether it is the router
     * @param rank else the engine's rank
     * @param part the number of one of its parts; null for all
     */
    public record WorkerChoice(
            boolean isRouter, int rank, @Nullable Integer part) {}

    /** {@code router}, an engine's rank, or RANK/PART. */
    public static final class Worker implements ITypeConverter<WorkerChoice> {
        @Override
        public WorkerChoice convert(String text) {
            if (text.equals("router")) {
                return new WorkerChoice(true, -1, null);
            }
            if (!text.matches("[0-9]{1,9}(/[0-9]{1,9})?")) {
                throw refused(text, "is not 'router', an engine's rank from 0, or RANK/PART");
            }
            int slash = text.indexOf('/');
            return slash < 0
                    ? new WorkerChoice(false, Integer.parseInt(text), null)
                    : new WorkerChoice(
                            false,
                            Integer.parseInt(text.substring(0, slash)),
                            Integer.valueOf(text.substring(slash + 1)));
        }
    }

    /** A file to read; {@code -} is standard input. Whether it can be read is seen when it is. */
    public static final class InputFile implements ITypeConverter<Path> {
        @Override
        public Path convert(String text) {
            return text.equals("-") ? TextFile.STANDARD_INPUT : path(text);
        }
    }

    /** A folder. */
    static final class Folder implements ITypeConverter<Path> {
        @Override
        public Path convert(String text) {
            Path folder = path(text);
            if (!Files.isDirectory(folder)) {
                throw refused(text, Files.exists(folder) ? "is a file, not a folder" : "is no folder that exists");
            }
            return folder;
        }
    }

    /** Words that may not be blank, such as the path of a program or a key. */
    public static final class Text implements ITypeConverter<String> {
        @Override
        public String convert(String text) {
            if (text.isBlank()) {
                throw new TypeConversionException("it is empty");
            }
            return text;
        }
    }

    private static Path path(String text) {
        if (text.isBlank()) {
            throw new TypeConversionException("it is empty");
        }
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw refused(text, "is no path: " + e.getReason());
        }
    }

    private static int whole(String text, String what, int least, int most) {
        try {
            int value = Integer.parseInt(text.strip());
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Said below, together with what is allowed.
        }
        throw refused(text, "is not " + what + " from " + least + " to " + most);
    }

    private static TypeConversionException refused(String text, String why) {
        return new TypeConversionException("'" + text + "' " + why);
    }
}

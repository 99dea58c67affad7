/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.thread.Threads;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Reads a file that a person names: a regular file, a pipe, a device or standard input. Reading is bounded: in size always, and in
 * time where the file is a pipe or a device.
 *
 * <p>Stateless; safe for use by several threads. Each call reads the file once, which is all that a pipe gives.
 */
public final class TextFile {
    /** Files with more bytes are refused. */
    public static final int MAX_BYTES = 4 * 1024 * 1024;

    /** The name by which standard input is read. It is not opened by that name, since it may be a socket. */
    public static final Path STANDARD_INPUT = Path.of("/dev/stdin");

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private TextFile() {}

    /**
     * The text of a file in UTF-8.
     *
     * @throws ConfigException when there is no such file, it is a folder, may not be read, is too large or no UTF-8 text, or when
     *     nothing writes all of a pipe within a minute
     */
    public static String read(Path file) {
        return read(file, PATIENCE);
    }

    static String read(Path file, Duration patience) {
        try {
            if (Files.isDirectory(file)) {
                throw problem(file, "is a folder, not a file");
            }
            byte[] bytes = Files.isRegularFile(file) ? bytes(file) : awaitBytes(file, patience);
            if (bytes.length > MAX_BYTES) {
                throw problem(file, "the file is larger than " + MAX_BYTES + " bytes");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw problem(file, "the file is not UTF-8 text");
        } catch (NoSuchFileException e) {
            throw problem(file, "there is no such file");
        } catch (AccessDeniedException e) {
            throw problem(file, "the file may not be read by the user of this program");
        } catch (FileSystemException e) {
            throw problem(file, "the file cannot be read: " + (e.getReason() == null ? e : e.getReason()));
        } catch (IOException e) {
            throw problem(file, "the file cannot be read: " + e.getMessage());
        }
    }

    private static byte[] bytes(Path file) throws IOException {
        if (file.equals(STANDARD_INPUT)) {
            return System.in.readNBytes(MAX_BYTES + 1);
        }
        // Behind a filter: in Java 21 the stream's own readNBytes asks for its position, which a pipe does not have.
        try (InputStream stream = new FilterInputStream(Files.newInputStream(file)) {}) {
            return stream.readNBytes(MAX_BYTES + 1);
        }
    }

    /** On a thread of its own: neither the opening of a pipe nor the reading of one can be interrupted. */
    private static byte[] awaitBytes(Path file, Duration patience) throws IOException {
        FutureTask<byte[]> reading = new FutureTask<>(() -> bytes(file));
        Thread unused = Threads.start("sglang-ray-read", reading);
        try {
            // A person may type there.
            return file.equals(STANDARD_INPUT)
                    ? reading.get()
                    : reading.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw problem(file, "nothing has written all of it within " + patience.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw problem(file, "reading it was interrupted");
        }
    }

    private static ConfigException problem(Path file, String message) {
        return new ConfigException(ConfigProblem.error(new SourcePosition(file.toString(), 0, 0), "", message));
    }
}

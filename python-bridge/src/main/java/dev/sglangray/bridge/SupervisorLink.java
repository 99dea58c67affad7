/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/**
 * The events of a supervisor or fork server, and the way to send it orders. When {@code orders} is closed, the other side takes this JVM for
 * dead.
 *
 * @param events read until its end
 * @param orders may be written to while another thread reads
 * @param end lets go of the other side
 */
record SupervisorLink(InputStream events, OutputStream orders, Runnable end) {

    static SupervisorLink of(Process supervisor) {
        return new SupervisorLink(supervisor.getInputStream(), supervisor.getOutputStream(), supervisor::destroy);
    }

    /** Connects to a Unix socket that listens, whether or not a process accepts connections at this moment. */
    static SupervisorLink connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        Both both = new Both(channel);
        return new SupervisorLink(Channels.newInputStream(both), Channels.newOutputStream(both), () -> {
            try {
                channel.close();
            } catch (IOException e) {
                throw new IllegalStateException("A socket of this JVM cannot be closed.", e);
            }
        });
    }

    void close() {
        end.run();
    }

    /** JDK 17 lets no thread write to a stream of a socket's channel while another one reads, unless the channel is hidden. */
    private record Both(SocketChannel channel) implements ReadableByteChannel, WritableByteChannel {
        @Override
        public int read(ByteBuffer target) throws IOException {
            return channel.read(target);
        }

        /** An interrupt would close the channel, and with it the child's life. */
        @Override
        public int write(ByteBuffer source) throws IOException {
            boolean interrupted = Thread.interrupted();
            try {
                return channel.write(source);
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.config.thread.Threads;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;

/** Where a gateway's operations run: the quick ones never wait for those that block, and of those there are few. Thread-safe. */
final class OperationThreads implements AutoCloseable {
    /** So many operations that block may be under way. */
    static final int BLOCKING = 8;

    private static final int QUICK = 8;

    private final ThreadPoolExecutor quick;
    private final ThreadPoolExecutor blocking;

    /** Starts no thread yet; theirs are named after this name. */
    OperationThreads(String name) {
        this.quick = Threads.pool(name + "-quick", QUICK, QUICK, new LinkedBlockingQueue<>());
        this.blocking = Threads.pool(name + "-blocking", 0, BLOCKING, new SynchronousQueue<>());
        blocking.setRejectedExecutionHandler((task, pool) -> {
            throw new RejectedExecutionException(
                    BLOCKING + " operations that take long (scale, update_weights, joining or"
                            + " leaving a process group) are under way; wait for one of them");
        });
    }

    /** For this operation. Refuses one that blocks with a {@link RejectedExecutionException} when there are too many. */
    Executor of(GatewayMethod operation) {
        return operation.blocks() ? blocking : quick;
    }

    /** Begins no more; what is under way ends by itself. */
    @Override
    public void close() {
        quick.shutdown();
        blocking.shutdown();
    }
}

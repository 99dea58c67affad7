/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.thread;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Makes threads. All are daemons with a name that says what owns them, and load this program's classes, also where Ray's code runs
 * on them. What owns each, and when it ends: {@code docs/concurrency.md}. Stateless.
 */
public final class Threads {
    private static final long IDLE_SECONDS = 10;

    private Threads() {}

    /** A thread that is not started; it ends with its task. */
    public static Thread thread(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.setContextClassLoader(Threads.class.getClassLoader());
        return thread;
    }

    /** A thread that runs this task, and ends with it. */
    public static Thread start(String name, Runnable task) {
        Thread thread = thread(name, task);
        thread.start();
        return thread;
    }

    /** A thread for each task, which ends with it. */
    public static Executor each(String name) {
        return task -> start(name, task);
    }

    /** As many threads as there are tasks; each ends when it has been idle for 10 s. */
    public static ThreadPoolExecutor pool(String name) {
        return pool(name, 0, Integer.MAX_VALUE, new SynchronousQueue<>());
    }

    /** As {@link ThreadPoolExecutor}; each thread ends when it has been idle for 10 s. */
    public static ThreadPoolExecutor pool(String name, int least, int most, BlockingQueue<Runnable> queue) {
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(least, most, IDLE_SECONDS, TimeUnit.SECONDS, queue, task -> thread(name, task));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** One thread for tasks in their order and for delayed ones, which it drops when it is shut down; it ends when idle for 10 s. */
    public static ScheduledThreadPoolExecutor timer(String name) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> thread(name, task));
        timer.setRemoveOnCancelPolicy(true);
        timer.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return timer;
    }
}

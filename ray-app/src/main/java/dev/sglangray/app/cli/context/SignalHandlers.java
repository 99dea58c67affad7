/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import com.sun.jna.Function;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Turns Ctrl-C, SIGTERM and SIGHUP into an interrupt of one thread, which then cleans up by leaving its blocks as after
 * any failure.
 *
 * <p>Not a shutdown hook: hooks run all at once, and Ray's own would disconnect while ours still needs the connection.
 * A second signal ends the JVM at once; what it had started dies with it, since every child hangs on a pipe of this
 * process.
 */
public final class SignalHandlers {
    private static final System.Logger LOG = System.getLogger(SignalHandlers.class.getName());
    private static final Map<String, Integer> SIGNALS = Map.of("INT", 2, "TERM", 15, "HUP", 1);

    private final Thread target;
    private final AtomicInteger received = new AtomicInteger();
    private final CountDownLatch came = new CountDownLatch(1);

    public SignalHandlers(Thread target) {
        this.target = target;
    }

    /** Installs the handlers for the rest of this process's life. */
    public static SignalHandlers interrupting(Thread target) {
        SignalHandlers interrupts = new SignalHandlers(target);
        SIGNALS.keySet().forEach(interrupts::install);
        return interrupts;
    }

    /** Takes the signals back from Ray, whose native half catches SIGTERM for itself when a driver connects. */
    void installAgain() {
        SIGNALS.keySet().forEach(this::install);
    }

    /** The number of the first signal that came, if one did. */
    OptionalInt signal() {
        int number = received.get();
        return number == 0 ? OptionalInt.empty() : OptionalInt.of(number);
    }

    /** Whether a signal has come, or comes within a time. */
    boolean awaitSignal(Duration timeout) {
        try {
            return came.await(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return received.get() != 0;
        }
    }

    /** Ends this process: with the code of the first signal, or without one with another code. */
    public void halt(int code) {
        Runtime.getRuntime().halt(code(code));
    }

    private int code(int unasked) {
        return signal().isPresent() ? ExitCode.SIGNAL_BASE + signal().getAsInt() : unasked;
    }

    /**
     * As {@link #halt}, while Ray is connected: without the exit handlers of native libraries. Ray's take away what its threads still
     * use, and the process then ends with a crash instead of its code.
     */
    void haltConnected(int code) {
        try {
            Function.getFunction("c", "_exit").invoke(new Object[] {code(code)});
        } catch (LinkageError | RuntimeException e) {
            LOG.log(System.Logger.Level.DEBUG, "the C library cannot be called: {0}", e.toString());
        }
        halt(code);
    }

    private void onSignal(String name) {
        int number = SIGNALS.getOrDefault(name, 15);
        if (received.compareAndSet(0, number)) {
            came.countDown();
            target.interrupt();
        } else {
            Runtime.getRuntime().halt(ExitCode.SIGNAL_BASE + number);
        }
    }

    // By reflection: the compiler warns about sun.misc.Signal in a way that nothing can silence, and the JDK has no
    // other API for it (the module jdk.unsupported exports it on purpose).
    private void install(String name) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(
                    SignalHandlers.class.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                        if (method.getName().equals("handle")) {
                            onSignal(name);
                        } else if (method.getName().equals("hashCode")) {
                            return System.identityHashCode(self);
                        } else if (method.getName().equals("equals")) {
                            return arguments != null && arguments.length == 1 && self == arguments[0];
                        } else if (method.getName().equals("toString")) {
                            return "handler of " + name;
                        }
                        return null;
                    });
            Method handle = signal.getMethod("handle", signal, handler);
            handle.invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
        } catch (InvocationTargetException e) {
            // The JVM was started with -Xrs or keeps this signal for itself: its default then ends the process.
            LOG.log(System.Logger.Level.DEBUG, "SIG{0} stays as it is: {1}", name, e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has no signal handlers (sun.misc.Signal)", e);
        }
    }
}

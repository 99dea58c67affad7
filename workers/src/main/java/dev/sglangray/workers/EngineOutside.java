/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The outside of an engine: the router, by the URL under which it knows the engine, and which hears of it only once it has
 * its fleet's weights. Safe for use by many threads.
 */
final class EngineOutside implements Outside {
    private final RouterLink router;
    private final LivenessProbe probe;
    private final Supplier<ServerEndpoint> endpoint;
    private volatile Runnable beforePublishing = () -> {};
    private volatile @Nullable String knownAs;

    EngineOutside(RouterLink router, LivenessProbe probe, Supplier<ServerEndpoint> endpoint) {
        this.router = router;
        this.probe = probe;
        this.endpoint = endpoint;
    }

    /** The URL of the first start, or of the predecessor. */
    void knownAs(String url) {
        knownAs = url;
    }

    /** What must have worked before the router is told. */
    void beforePublishing(Runnable first) {
        beforePublishing = first;
    }

    @Override
    public void publish(String url) {
        beforePublishing.run();
        String before = knownAs;
        router.resume(before == null ? url : before, endpoint.get());
        knownAs = url;
    }

    @Override
    public void withdraw() {
        String before = knownAs;
        if (before != null) {
            router.suspend(before);
        }
    }

    @Override
    public void probe(String url) {
        probe.require(url);
    }
}

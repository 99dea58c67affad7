/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.FleetSource;
import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.config.Config;
import dev.sglangray.config.TreeView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The page of a fake fleet, which a monitor looks at as it does at a real one. */
public final class FakePage implements AutoCloseable {
    private static final List<TreeView.Row> CONFIGURATION =
            TreeView.of(Config.parse("""
                    cluster:
                      num_nodes: 2
                      component_placement: {rollout: 0-3}
                    router_server_args:
                      model_path: /models/actor
                      tensor_parallel_size: 1
                      server: {api_key: very-secret, mem_fraction_static: 0.8}
                      router: {policy: cache_aware, api_key: "${..server.api_key}"}
                      dashboard: {port: 0}
                    """)).rows();

    private final FakeFleet fleet;
    final FleetMonitor monitor;
    final Dashboard page;
    private volatile boolean looking;

    private FakePage(FakeFleet fleet, Dashboard.Facts facts, Duration patience) {
        this.fleet = fleet;
        // As if it had looked from the launch on.
        monitor = new FleetMonitor(new Shared(), () -> looking ? fleet.now : Instant.EPOCH);
        looking = true;
        try {
            page = Dashboard.open(
                    new DashboardSettings(ListenAddress.DEFAULT), facts, () -> fleet.now, monitor::soon, patience);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        monitor.add(page);
    }

    /** Nothing looks at the fleet before a test says so. */
    static FakePage still(FakeFleet fleet, @Nullable String key, Duration patience) {
        return new FakePage(fleet, facts("E", key), patience);
    }

    /** A monitor looks at the fleet, on its own thread. */
    static FakePage live(FakeFleet fleet, String name, @Nullable String key) {
        FakePage live = new FakePage(fleet, facts(name, key), Duration.ofSeconds(15));
        live.monitor.start();
        return live;
    }

    private static Dashboard.Facts facts(String name, @Nullable String key) {
        return new Dashboard.Facts(name, "sglang-ray", "10.0.0.1", key, null, CONFIGURATION);
    }

    /** Something happens to the fleet while nothing looks at it. */
    void change(Consumer<FakeFleet> change) {
        synchronized (fleet) {
            change.accept(fleet);
        }
    }

    @Override
    public void close() {
        monitor.close();
    }

    /** The monitor's thread looks while the test's thread changes. */
    private final class Shared implements FleetSource {
        @Override
        public FleetLook look(ToLongFunction<String> from, boolean load) {
            synchronized (fleet) {
                return fleet.look(from, load);
            }
        }

        @Override
        public boolean isOver() {
            return fleet.isOver();
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/** Drains the second of two real engines, and then gives both other weights; the test kills that engine meanwhile. */
public final class RestartsDriver {
    private static final Duration LONG = Duration.ofMinutes(9);

    private final FleetControl fleet;
    private final InferenceHttpClient client;

    private RestartsDriver(FleetControl fleet) {
        this.fleet = fleet;
        this.client = InferenceHttpClient.of(
                fleet.router().orElseThrow().getRouterUrl().awaitSingle());
    }

    public static void main(String[] arguments) {
        try (RaySession session = DriverSupport.connect()) {
            System.err.println("session of namespace " + session.namespace());
            RestartsDriver driver = new RestartsDriver(FleetControl.attach("SGLangServerGroup"));
            driver.drain();
            driver.update(arguments[1]);
        }
    }

    private void drain() {
        ServerGroup second = fleet.servers().on(1);
        long pid = Objects.requireNonNull(status().process().pid());
        var draining = second.drain(LONG, LONG);
        await("it is drained", () -> status().state().equals("DRAINED") && !isListed());
        System.out.println("drained");
        await(
                "another process serves",
                () -> status().process().pid() != null
                        && !Objects.equals(status().process().pid(), pid)
                        && status().state().equals("DRAINED"));
        var unused = draining.await(LONG);
        System.out.println("killed while it drained: drained, and " + (isListed() ? "" : "not ") + "in the router");
        var unusedToo = second.undrain(LONG).await(LONG);
        await("it is in the router", this::isListed);
        System.out.println("undrained, in the router");
    }

    private void update(String checkpoint) {
        System.out.println("updating");
        var report =
                fleet.updateWeights(WeightUpdate.fromDisk("next", checkpoint).withTimeout(LONG));
        System.out.println("missing " + report.missing() + ", answered by " + versions());
        await("it has them", () -> "next".equals(status().service().weightVersion()) && isListed());
        System.out.println("both have them, answered by " + versions());
    }

    private WorkerStatus status() {
        return fleet.servers().on(1).status().await(LONG).get(0);
    }

    private boolean isListed() {
        String url = status().url();
        return fleet.router().orElseThrow().registry().awaitSingle().members().stream()
                .anyMatch(member -> member.url().equals(url) && member.listed());
    }

    private Set<String> versions() {
        Set<String> versions = new TreeSet<>();
        for (int i = 0; i < 6; i++) {
            versions.add(client.generate(GenerateRequest.builder()
                            .text("Once upon a time")
                            .samplingParam("max_new_tokens", 4)
                            .build())
                    .single()
                    .metaInfo()
                    .weightVersion()
                    .orElse("?"));
        }
        return versions;
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!isTrue(condition)) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not in time: " + what);
            }
            try {
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static boolean isTrue(BooleanSupplier condition) {
        try {
            return condition.getAsBoolean();
        } catch (WorkerException e) {
            System.err.println(e.getMessage());
            return false;
        }
    }
}

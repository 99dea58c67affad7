/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.drivers;

import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.Generation;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.UpdateReport;
import dev.sglangray.workers.WeightUpdateException;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A trainer's calls on real engines that somebody else launched: other weights, other answers. */
public final class RealWeightsDriver {
    private static final Duration LONG = Duration.ofMinutes(3);

    private RealWeightsDriver() {}

    public static void main(String[] arguments) {
        try (RaySession session = DriverSupport.connect()) {
            FleetControl fleet = FleetControl.attach("SGLangServerGroup");
            String url = fleet.router().orElseThrow().getRouterUrl().awaitSingle();
            try (InferenceHttpClient client = InferenceHttpClient.of(url)) {
                use(fleet, client, arguments[1]);
            }
            System.out.println("session of namespace " + session.namespace());
        }
    }

    private static void use(FleetControl fleet, InferenceHttpClient client, String checkpoint) {
        Set<String> before = answers(client);
        System.out.println("before, by " + versions(client) + ", texts " + before.size());
        UpdateReport report =
                fleet.updateWeights(WeightUpdate.fromDisk("trained", checkpoint).withTimeout(LONG));
        System.err.println(report);
        Set<String> after = answers(client);
        System.out.println("updated " + report.isComplete() + ", by " + versions(client) + ", texts " + after.size()
                + ", other answers " + !after.equals(before));
        System.out.println("in place "
                + fleet.updateWeights(WeightUpdate.fromDisk("again", checkpoint).withInFlight(InFlightPolicy.IN_PLACE))
                        .isComplete()
                + ", by " + versions(client));
        fleet.pauseGeneration(PauseMode.RETRACT, LONG);
        fleet.continueGeneration(LONG);
        fleet.flushCache(LONG);
        System.out.println(
                "paused and continued, the same answers " + answers(client).equals(after));
        try {
            fleet.releaseMemory(List.of(), LONG);
        } catch (WorkerException e) {
            System.out.println("refused " + e.getMessage());
        }
        try {
            fleet.updateWeights(WeightUpdate.fromDistributed(
                    "never",
                    List.of(Map.of(
                            "names", List.of("a"), "dtypes", List.of("float32"), "shapes", List.of(List.of(1))))));
        } catch (WeightUpdateException e) {
            System.out.println("not joined: " + String.valueOf(e.getMessage()).replace('\n', ' '));
        }
        System.out.println("in the end, by " + versions(client));
    }

    private static Generation answer(InferenceHttpClient client) {
        return client.generate(GenerateRequest.builder()
                        .text("Once upon a time")
                        .samplingParam("temperature", 0)
                        .samplingParam("max_new_tokens", 8)
                        .build())
                .single();
    }

    /** Of both engines, which the router asks in turn. */
    private static Set<String> answers(InferenceHttpClient client) {
        Set<String> texts = new TreeSet<>();
        for (int i = 0; i < 4; i++) {
            texts.add(answer(client).text());
        }
        return texts;
    }

    private static Set<String> versions(InferenceHttpClient client) {
        Set<String> versions = new TreeSet<>();
        for (int i = 0; i < 4; i++) {
            versions.add(answer(client).metaInfo().weightVersion().orElse("?"));
        }
        return versions;
    }
}

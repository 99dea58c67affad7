/* SPDX-License-Identifier: Apache-2.0 */

import dev.sglangray.app.session.RaySession;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.Generation;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.UpdateReport;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.Locale;

/**
 * A training loop in Java beside a fleet that runs already (sglang-ray up --detach …): roll out, train, give the fleet the new
 * weights, again. Run it on a node of the cluster:
 *
 * <pre>
 *   javac -cp sglang-ray.jar -d classes TrainingLoop.java
 *   sglang-ray run --class-path classes TrainingLoop /checkpoints/step-1 /checkpoints/step-2
 * </pre>
 *
 * <p>The arguments stand for the checkpoints that training makes; every engine's node must see them.
 */
public final class TrainingLoop {
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private TrainingLoop() {}

    public static void main(String[] checkpoints) throws Exception {
        try (RaySession session = RaySession.fromEnvironment(RaySession.DEFAULT_NAMESPACE)) {
            FleetControl fleet = FleetControl.attach("SGLangServerGroup");
            String url = fleet.router().orElseThrow().getRouterUrl().awaitSingle();
            try (InferenceHttpClient client = InferenceHttpClient.of(url)) {
                for (int step = 0; step < checkpoints.length; step++) {
                    rollOut(client);
                    String checkpoint = train(step, checkpoints);
                    UpdateReport report = fleet.updateWeights(
                            WeightUpdate.fromDisk("step-" + (step + 1), checkpoint).withTimeout(LONGEST));
                    System.out.printf(
                            Locale.ROOT,
                            "weights %s in %.1f s; engines still without them: %s%n",
                            report.version(),
                            report.secondsToQuiet() + report.secondsToLoad() + report.secondsToReturn(),
                            report.missing());
                }
                rollOut(client);
            }
        }
    }

    /** What the fleet says at the moment, and by which weights. */
    private static void rollOut(InferenceHttpClient client) {
        GenerateRequest request = GenerateRequest.builder()
                .text("Once upon a time")
                .samplingParam("max_new_tokens", 16)
                .build();
        Generation answer = client.generate(request).single();
        System.out.println("by weights " + answer.metaInfo().weightVersion().orElse("?") + ": " + answer.text());
    }

    /** Here a trainer would compute rewards, take a step, and save. Engines that share its accelerators lend them before it. */
    private static String train(int step, String[] checkpoints) {
        return checkpoints[step];
    }
}

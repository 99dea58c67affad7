/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.RouterPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether anybody who reaches a fleet's nodes may use it. */
final class MissingApiKeyWarning {
    private MissingApiKeyWarning() {}

    /** What to tell of a fleet whose engines or router ask for no key; empty when all do, or none leaves its machine. */
    static Optional<String> warning(FleetPlan plan) {
        List<String> open = new ArrayList<>();
        for (EnginePlan engine : plan.engines()) {
            if (engine.serverArgs().get("api_key") == null
                    && !isLocal(engine.node().ip())) {
                open.add("engines");
                break;
            }
        }
        Optional<RouterPlan> router = plan.router();
        if (router.isPresent()
                && router.get().routerArgs().get("api_key") == null
                && !isLocal(router.get().node().ip())) {
            open.add("router");
        }
        return open.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        String.join(" and ", open)
                                + " will answer every program that reaches their nodes: set api_key in server and router to ask for a key");
    }

    private static boolean isLocal(String ip) {
        return ip.startsWith("127.") || ip.equals("::1");
    }
}

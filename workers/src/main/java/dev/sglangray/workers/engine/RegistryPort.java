/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.ReportReply;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The way from an engine's worker to the registry of its fleet's router. */
public interface RegistryPort {
    /**
     * Hands a report in. The future completes on the caller's event loop: with the reply, empty where there is no router and will
     * be none, or with a failure when no reply came; the report may or may not have arrived then.
     */
    CompletableFuture<Optional<ReportReply>> report(EngineReport report);
}

/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.tracing;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.net.URI;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;

/** Says once that traces do not arrive, and once that they do again, where OpenTelemetry would say it each time. Thread-safe. */
final class ReportingExporter implements SpanExporter {
    private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(ReportingExporter.class);

    private final SpanExporter exporter;
    private final URI endpoint;
    private final AtomicBoolean failing = new AtomicBoolean();
    /** Kept here: a logger that nothing holds forgets its level. */
    private final Logger theirs = Logger.getLogger(SpanExporter.class.getName().replaceFirst("\\.sdk\\..*", ""));

    ReportingExporter(SpanExporter exporter, URI endpoint) {
        this.exporter = exporter;
        this.endpoint = endpoint;
        theirs.setLevel(Level.OFF);
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        CompletableResultCode result = exporter.export(spans);
        return result.whenComplete(() -> {
            if (failing.getAndSet(!result.isSuccess()) == result.isSuccess()) {
                if (result.isSuccess()) {
                    LOG.warn("traces arrive at {} again", endpoint);
                } else {
                    LOG.warn("traces do not arrive at {} and are dropped until they do: {}", endpoint, why(result));
                }
            }
        });
    }

    private static String why(CompletableResultCode result) {
        Throwable failure = result.getFailureThrowable();
        return failure == null ? "the collector did not take them" : String.valueOf(failure.getMessage());
    }

    @Override
    public CompletableResultCode flush() {
        return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return exporter.shutdown();
    }
}

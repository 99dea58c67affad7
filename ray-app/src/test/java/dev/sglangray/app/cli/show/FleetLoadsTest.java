/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.monitor.FleetCondition;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.app.monitor.RouterListing;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FleetLoadsTest {
    private static WorkerStatus worker(String kind, int rank, String state, String pool) {
        return new WorkerStatus(
                new WorkerStatus.Identity(kind, "G", rank, 3, pool, "regular", "m", true),
                state,
                "http://10.0.0.1:" + rank,
                new WorkerStatus.ProcessPart("n", "10.0.0.1", 1L, 2, List.of("0", "1"), null, null, List.of()),
                new WorkerStatus.SupervisionPart(null, null, 2, null, 0, null),
                new WorkerStatus.ServicePart("step-7", List.of(), Map.of()));
    }

    private final FleetLoads loads = new FleetLoads(
            Instant.parse("2026-01-01T00:00:00Z"),
            new FleetReport(
                    "ns",
                    "http://10.0.0.1:9",
                    new FleetCondition(
                            List.of(
                                    worker("router", 0, "READY", ""),
                                    worker("server", 0, "READY", "actor"),
                                    worker("server", 1, "RESTARTING", ""),
                                    worker("server", 2, WorkerStatus.GONE, "")),
                            RouterListing.NONE),
                    OwnerUrls.NONE),
            Map.of(0, new EngineLoad(12, 0, 1234.56, 0.5), 1, EngineLoad.UNKNOWN));

    @Test
    void whatAnEngineDoesNotTellIsADash() {
        assertThat(loads.lines())
                .containsExactly(
                        "url    http://10.0.0.1:9",
                        "fleet  degraded: not all engines get requests",
                        "RANK  POOL   STATE       NODE      ACCELERATORS  RUNNING  QUEUED  TOKENS/S  KV    WEIGHTS  RESTARTS",
                        "0     actor  ready       10.0.0.1  0,1           12       0       1234.6    50 %  step-7   2",
                        "1     -      restarting  10.0.0.1  0,1           -        -       -         -     step-7   2",
                        "2     -      gone        -         0,1           -        -       -         -     step-7   -");
    }

    @Test
    void asJsonItIsOneLineWithAnObjectForEachEngine() throws JsonProcessingException {
        assertThat(loads.json()).doesNotContain("\n");
        JsonNode sample = new ObjectMapper().readTree(loads.json());
        assertThat(sample.path("verdict").asText()).isEqualTo("DEGRADED");
        assertThat(sample.path("engines").get(0).toString())
                .isEqualTo("{\"rank\":0,\"pool\":\"actor\",\"state\":\"READY\",\"nodeIp\":\"10.0.0.1\","
                        + "\"devices\":[\"0\",\"1\"],\"running\":12,\"queued\":0,\"tokensPerSecond\":1234.56,"
                        + "\"kvUse\":0.5,\"weightVersion\":\"step-7\",\"restarts\":2}");
        assertThat(sample.path("engines").get(1).path("running").isNull()).isTrue();
        assertThat(sample.path("engines")).hasSize(3);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What programs parse of {@code sglang-ray status --json}, and what drivers of Python get. */
class WorkerStatusTest {
    private static final WorkerStatus ENGINE = new WorkerStatus(
            new WorkerStatus.Identity("server", "engines", 1, 2, "large", "decode", "judge", true),
            "RESTARTING",
            "http://10.0.0.1:20003",
            new WorkerStatus.ProcessPart(
                    "node",
                    "10.0.0.1",
                    12L,
                    7,
                    List.of("4", "5"),
                    "/logs/e.log",
                    1.5,
                    List.of(new WorkerStatus.Part(1, "10.0.0.2", 5L, null, List.of("0"), null))),
            new WorkerStatus.SupervisionPart(null, "2026-01-02T03:04:05.678Z", 3, "killed", 9, "2026-01-02T03:00:00Z"),
            new WorkerStatus.ServicePart("7", List.of("drained"), Map.of()));
    private static final String ENGINE_JSON =
            "{\"kind\":\"server\",\"group\":\"engines\",\"rank\":1,\"groupSize\":2,\"pool\":\"large\",\"workerType\":\"decode\","
                    + "\"model\":\"judge\",\"updateWeights\":true,"
                    + "\"state\":\"RESTARTING\",\"url\":\"http://10.0.0.1:20003\",\"nodeId\":\"node\",\"nodeIp\":\"10.0.0.1\","
                    + "\"pid\":12,\"workerPid\":7,\"devices\":[\"4\",\"5\"],\"log\":\"/logs/e.log\",\"secondsToReady\":1.5,"
                    + "\"parts\":[{\"part\":1,\"nodeIp\":\"10.0.0.2\",\"pid\":5,\"workerPid\":null,\"devices\":[\"0\"],\"log\":null}],"
                    + "\"failure\":null,\"since\":\"2026-01-02T03:04:05.678Z\",\"restarts\":3,\"lastError\":\"killed\",\"probes\":9,"
                    + "\"forkServerSince\":\"2026-01-02T03:00:00Z\","
                    + "\"weightVersion\":\"7\",\"conditions\":[\"drained\"],\"changes\":{}}";

    private static final WorkerStatus ROUTER = new WorkerStatus(
            new WorkerStatus.Identity("router", "r", 0, 1, "", "", "", false),
            "NEW",
            null,
            new WorkerStatus.ProcessPart("", "?", null, 0, List.of(), null, null, List.of()),
            new WorkerStatus.SupervisionPart("no memory", null, 0, null, 0, null),
            new WorkerStatus.ServicePart(null, List.of(), Collections.singletonMap("policy", null)));
    private static final String ROUTER_JSON =
            "{\"kind\":\"router\",\"group\":\"r\",\"rank\":0,\"groupSize\":1,\"pool\":\"\",\"workerType\":\"\","
                    + "\"model\":\"\",\"updateWeights\":false,"
                    + "\"state\":\"NEW\",\"url\":null,\"nodeId\":\"\",\"nodeIp\":\"?\",\"pid\":null,\"workerPid\":0,"
                    + "\"devices\":[],\"log\":null,\"secondsToReady\":null,\"parts\":[],\"failure\":\"no memory\",\"since\":null,"
                    + "\"restarts\":0,\"lastError\":null,\"probes\":0,\"forkServerSince\":null,\"weightVersion\":null,\"conditions\":[],\"changes\":{\"policy\":null}}";

    @Test
    void itIsOneFlatObjectInThisOrder() throws JsonProcessingException {
        assertThat(ProtocolJson.write(ENGINE)).isEqualTo(ENGINE_JSON);
        assertThat(ProtocolJson.write(ROUTER)).isEqualTo(ROUTER_JSON);
        assertThat(new ObjectMapper().writeValueAsString(Map.of("workers", List.of(ENGINE))))
                .isEqualTo("{\"workers\":[" + ENGINE_JSON + "]}");
    }

    @Test
    void thatOfAWorkerThatKnowsNeitherPoolsNorPartsIsRead() {
        String old = ROUTER_JSON
                .replace(",\"pool\":\"\",\"workerType\":\"\",\"model\":\"\",\"updateWeights\":false", "")
                .replace(",\"parts\":[]", "");
        assertThat(old).doesNotContain("pool", "parts", "workerType");
        assertThat(ProtocolJson.read(old, WorkerStatus.class)).isEqualTo(ROUTER);
    }

    @Test
    void itIsReadAsItWasWritten() {
        assertThat(ProtocolJson.read(ENGINE_JSON, WorkerStatus.class)).isEqualTo(ENGINE);
        assertThat(ProtocolJson.read(ROUTER_JSON, WorkerStatus.class)).isEqualTo(ROUTER);
    }
}

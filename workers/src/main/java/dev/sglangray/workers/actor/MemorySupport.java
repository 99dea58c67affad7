/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.process.ServerSpec;
import java.util.List;
import java.util.Optional;

/** Whether an engine can release its memory: SGLang itself does nothing without its memory saver, and ends on a CPU. */
final class MemorySupport {
    private MemorySupport() {}

    /** Why not, if not. */
    static Optional<String> refusal(ServerSpec spec, List<String> devices) {
        if (devices.isEmpty() || "cpu".equals(spec.serverArgs().get("device"))) {
            return Optional.of("the engine runs on a CPU, where SGLang would end on a release of memory");
        }
        if (!Boolean.TRUE.equals(spec.serverArgs().get("enable_memory_saver"))) {
            return Optional.of("the engine was started without enable_memory_saver: true (in the block 'server'),"
                    + " and releases nothing");
        }
        return Optional.empty();
    }
}

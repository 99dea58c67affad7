/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.BaseActorHandle;
import io.ray.api.Ray;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;

/** What one worker's actor keeps on its node for a successor: files by the actor's id. */
final class WorkerMemory {
    private final String actorId;
    private final MemoryFile who;

    private WorkerMemory(String actorId) {
        this.actorId = actorId;
        this.who = file(MemorySweep.WHO);
    }

    /** Of the actor that runs here; deletes meanwhile what dead ones left. */
    static WorkerMemory open(String actor, WorkerNode node) {
        WorkerMemory memory =
                new WorkerMemory(Ray.getRuntimeContext().getCurrentActorId().toString());
        // The session's folder has the logs, and its name is the session's.
        String session = Objects.toString(node.logDirectory().getParent());
        memory.who.save(new MemorySweep.Who(actor, Ray.getRuntimeContext().getNamespace(), session));
        MemorySweep sweep =
                new MemorySweep(MemoryFile.folder(), session, WorkerMemory::livingId, InstantSource.system());
        Thread thread = new Thread(sweep::run, "sglang-ray-sweep");
        thread.setDaemon(true);
        thread.setContextClassLoader(WorkerMemory.class.getClassLoader());
        thread.start();
        return memory;
    }

    private static Optional<String> livingId(String actor, String namespace) {
        Optional<BaseActorHandle> found = Ray.getActor(actor, namespace);
        return found.map(handle -> handle.getId().toString());
    }

    MemoryFile file(String what) {
        return MemoryFile.of(actorId, what);
    }

    /** After an orderly end there is no successor. */
    void close() {
        who.delete();
    }
}
